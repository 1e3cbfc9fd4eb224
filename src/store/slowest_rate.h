#pragma once
// The slowest rate that may be believed. Why not simply the smallest: one answer during which the
// machine was suspended, or the disk stalled, would count for ever, over restarts too. So:
//
//   * a rate far below the slowest so far (1/kDoubtFactor) counts when a second such one came;
//   * if the very first rate is far below the second, the first was the odd one;
//   * a single rate counts, but is not worth remembering over a restart.
//
// Value type, any thread.

#include <optional>

namespace hf::store {

class SlowestRate {
 public:
  // Other models at work slow a model down by a few times its speed, seldom by more than this.
  static constexpr double kDoubtFactor = 10;

  SlowestRate() = default;
  // Goes on from what an earlier run knew for certain.
  explicit SlowestRate(std::optional<double> remembered) : slowest_(remembered) {}

  // Rates of 0 or below and not finite ones are ignored: nothing was generated.
  void add(double tokens_per_second);

  [[nodiscard]] std::optional<double> value() const { return slowest_; }
  // What to keep for the next run: nothing while it rests on one sample.
  [[nodiscard]] std::optional<double> to_remember() const {
    return single_ ? std::nullopt : slowest_;
  }

 private:
  std::optional<double> slowest_;
  std::optional<double> doubted_;  // one rate far below slowest_
  bool single_ = false;            // slowest_ rests on one sample
};

}  // namespace hf::store
