#pragma once
// Asks a child `GET /health`, or what its kind of engine has for that, until it answers that it
// serves. Why besides the state lines: only an accepted request proves that the socket serves, and
// other engines print no such lines. One loop thread.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "process/child.h"

namespace hf::process {

struct HealthTarget {
  std::string socket_path;  // or
  std::uint16_t port = 0;   // of 127.0.0.1
  Readiness readiness;
  std::function<bool()> is_own;  // whether it is the child that has just answered
};

class HealthPoll {
 public:
  // Borrows the context. `on_healthy` is called at most once, never after stop().
  HealthPoll(boost::asio::io_context& io, HealthTarget target, std::function<void()> on_healthy);

  // Begins; holds `owner`, whose member this is, until the poll ends.
  void start(std::shared_ptr<void> owner);
  // The child tells its progress itself: ask seldom.
  void ask_seldom();
  // The child says it is ready: ask now, and often.
  void ask_now();
  void stop();
  // Of the latest answer; 0: there was none.
  [[nodiscard]] int last_status() const { return last_status_; }
  // That answer said "it serves", and was somebody else's.
  [[nodiscard]] bool other_answered() const { return other_answered_; }

 private:
  boost::asio::awaitable<void> run(std::shared_ptr<void> owner);
  [[nodiscard]] std::chrono::milliseconds interval() const;

  boost::asio::io_context& io_;
  HealthTarget target_;
  std::function<void()> on_healthy_;
  boost::asio::steady_timer timer_;
  int asked_ = 0;
  int last_status_ = 0;
  bool other_answered_ = false;
  bool seldom_ = false;
  bool urgent_ = false;
  bool stopped_ = false;
};

}  // namespace hf::process
