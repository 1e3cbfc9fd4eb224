#pragma once
// A condition that one coroutine waits for and anybody on the loop thread raises. It latches: a
// raise() before the wait() is not lost, and stays until lower(). Built on a timer that never
// expires, because cancelling a wait posts the waiter instead of resuming it inside raise().

#include "net/asio.h"

namespace hf::net {

class Signal {
 public:
  explicit Signal(const asio::any_io_executor& executor) : timer_(executor) {
    timer_.expires_at(asio::steady_timer::time_point::max());
  }

  void raise() {
    raised_ = true;
    timer_.cancel();
  }
  void lower() { raised_ = false; }
  [[nodiscard]] bool raised() const { return raised_; }
  [[nodiscard]] asio::any_io_executor executor() { return timer_.get_executor(); }

  // Returns when raised, or when the wait itself is cancelled: look at raised() afterwards.
  Task<void> wait() {
    if (!raised_) {
      [[maybe_unused]] auto [ec] = co_await timer_.async_wait(kAwait);
    }
  }

 private:
  asio::steady_timer timer_;
  bool raised_ = false;
};

}  // namespace hf::net
