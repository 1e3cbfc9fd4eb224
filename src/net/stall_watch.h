#pragma once
// Tells when a reader has taken nothing for a while although bytes wait for it, and when it takes
// some again. One relay's; loop thread.

#include <chrono>
#include <functional>
#include <utility>

#include "net/alarm.h"

namespace hf::net {

class StallWatch {
 public:
  // Long enough for a Wi-Fi hiccup, short enough that a stalled reader is known before patience
  // ends.
  static constexpr std::chrono::seconds kGrace{1};

  StallWatch(const asio::any_io_executor& executor, std::function<void(bool)> on_change)
      : alarm_(executor), on_change_(std::move(on_change)) {}

  // The socket takes nothing more for now.
  void blocked() {
    if (armed_ || stalled_) {
      return;
    }
    armed_ = true;
    alarm_.set(kGrace, [this] { change(true); });
  }
  // The socket took bytes.
  void progressed() {
    if (armed_) {
      alarm_.clear();
      armed_ = false;
    }
    if (stalled_) {
      change(false);
    }
  }

 private:
  void change(bool stalled) {
    armed_ = false;
    stalled_ = stalled;
    if (on_change_) {
      on_change_(stalled);
    }
  }

  Alarm alarm_;
  std::function<void(bool)> on_change_;
  bool armed_ = false;
  bool stalled_ = false;
};

}  // namespace hf::net
