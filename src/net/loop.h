#pragma once
// The one loop everything runs on, for those who may not see Asio: main() makes it, runs it on the
// main thread and hands its context to the parts that need it. Also signals and timers as plain
// callbacks.

#include <functional>
#include <memory>
#include <vector>

#include "base/time.h"

namespace boost::asio {
class io_context;
}

namespace hf::net {

class Loop {
 public:
  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  [[nodiscard]] boost::asio::io_context& context();
  // Until stop() was called or nothing is left to do. May be called again.
  void run();
  void stop();
  // What is ready now, without waiting: the last words of what was cancelled before a stop().
  void run_ready();

  // Runs `action` from the loop after `delay`; until then the loop has something to do.
  void after(Duration delay, std::function<void()> action);

  // Catches these signals from now on, every time one comes, until release_signals(); until then
  // the loop has something to do. Call at most once. Errors (a signal that cannot be caught) are
  // bugs.
  void on_signal(const std::vector<int>& numbers, std::function<void(int number)> action);
  void release_signals();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hf::net
