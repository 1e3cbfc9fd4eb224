#pragma once
// One timer with one action. Setting it again replaces the action, clearing or destroying it
// guarantees that the old action does not run, even if its time had already come and it was only
// waiting for the loop.

#include <functional>
#include <memory>
#include <utility>

#include "net/asio.h"

namespace hf::net {

class Alarm {
 public:
  explicit Alarm(const asio::any_io_executor& executor) : timer_(executor) {}
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm() { clear(); }

  void set(std::chrono::steady_clock::duration after, std::function<void()> action) {
    const std::uint64_t mine = ++*epoch_;
    timer_.expires_after(after);
    timer_.async_wait([epoch = epoch_, mine, action = std::move(action)](error_code ec) {
      if (!ec && *epoch == mine) {
        action();
      }
    });
  }
  void clear() {
    ++*epoch_;
    timer_.cancel();
  }

 private:
  asio::steady_timer timer_;
  std::shared_ptr<std::uint64_t> epoch_ = std::make_shared<std::uint64_t>(0);
};

}  // namespace hf::net
