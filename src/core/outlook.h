#pragma once
// When those who hold the memory can be expected to have left it, for whoever waits for it. Why
// apart from the models: what all holders come to is gathered once, in O(holders), and then asked
// for each of hundreds who wait. An estimate for ETAs; nothing is decided by it. Value type, any
// thread.

#include <algorithm>
#include <optional>

#include "core/footprint.h"

namespace hf::core {

class Outlook {
 public:
  // `soon`: what is free, leaving or held by idle models.
  explicit Outlook(const Footprint& soon) : soon_(soon) {}

  // A model in use whose gate is shut: it is gone when its answers have ended.
  void add_gated(double answer_s) { settled_s_ = std::max(settled_s_, answer_s); }
  // One whose gate is open: not gated before its turn is over, nor before who waits is out of
  // patience.
  void add_open(double turn_left_s, double answer_s) {
    settled_s_ = std::max(settled_s_, turn_left_s + answer_s);
    longest_open_s_ = std::max(longest_open_s_.value_or(0), answer_s);
  }

  // Seconds until `size` can be expected to be free for somebody who is out of patience in
  // `patience_left_s`; 0 if it is free or idle models hold it.
  [[nodiscard]] double free_in_s(const Footprint& size, double patience_left_s) const {
    if (size.fits_in(soon_)) {
      return 0;
    }
    return std::max(settled_s_, longest_open_s_ ? patience_left_s + *longest_open_s_ : 0);
  }

 private:
  Footprint soon_;
  double settled_s_ = 0;                  // whatever the patience of who waits
  std::optional<double> longest_open_s_;  // the mean answer of an ungated model
};

}  // namespace hf::core
