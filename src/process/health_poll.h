#pragma once
// Asks a child's unix socket `GET /health` until it answers that it serves. Why besides the state
// lines: only an accepted request proves that the socket serves, and other engines print no such
// lines. One loop thread.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace hf::process {

class HealthPoll {
 public:
  // Borrows the context. `on_healthy` is called at most once, never after stop().
  HealthPoll(boost::asio::io_context& io, std::string socket_path,
             std::function<void()> on_healthy);

  // Begins; holds `owner`, whose member this is, until the poll ends.
  void start(std::shared_ptr<void> owner);
  // The child tells its progress itself: ask seldom.
  void ask_seldom();
  // The child says it is ready: ask now, and often.
  void ask_now();
  void stop();

 private:
  boost::asio::awaitable<void> run(std::shared_ptr<void> owner);
  [[nodiscard]] std::chrono::milliseconds interval() const;

  boost::asio::io_context& io_;
  std::string socket_path_;
  std::function<void()> on_healthy_;
  boost::asio::steady_timer timer_;
  int asked_ = 0;
  bool seldom_ = false;
  bool urgent_ = false;
  bool stopped_ = false;
};

}  // namespace hf::process
