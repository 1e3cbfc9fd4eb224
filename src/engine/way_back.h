#pragma once
// The way of a job's result from its thread to the loop, for a thread that may be left behind
// (worker_thread.h). Why not the io_context itself: when such a thread comes back at last, there is
// none any more. Closed, the way leads nowhere, and who comes late learns nothing of it. Shared by
// the loop and the jobs.

#include <boost/asio/io_context.hpp>
#include <functional>
#include <mutex>

namespace hf::engine {

class WayBack {
 public:
  explicit WayBack(boost::asio::io_context& io) : io_(&io) {}

  // Any thread. Called from the loop, or, once closed, destroyed by the caller's thread.
  void post(std::function<void()> reply);
  // When it returns, nobody uses the context any more.
  void close();

 private:
  std::mutex mutex_;
  boost::asio::io_context* io_;  // null: closed
};

}  // namespace hf::engine
