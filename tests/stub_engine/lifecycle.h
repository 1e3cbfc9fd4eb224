#pragma once
// The stub's life: loading, the state lines of the stock server, and how it ends. With
// LLAMA_SERVER_ROUTER_PORT in its environment it does as the stock one: once ready it ends by the
// exit line (status 0) or when its input closes (status 1), while SIGTERM alone only closes its
// connections.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <string>

#include "stub_engine/options.h"
#include "stub_engine/script.h"
#include "stub_engine/server.h"

namespace hf::stub {

class Lifecycle {
 public:
  Lifecycle(boost::asio::io_context& io, const Options& options, const Script& script,
            Server& server);

  void start();

 private:
  boost::asio::awaitable<void> load();
  boost::asio::awaitable<void> watch_signals();
  boost::asio::awaitable<void> watch_input();
  void leave_grandchild();
  void take_memory();
  void print_logs() const;
  void print_state(const std::string& json) const;
  [[noreturn]] void end(int status) const;

  boost::asio::io_context& io_;
  const Options& options_;
  const Script& script_;
  Server& server_;
  boost::asio::signal_set signals_;
  boost::asio::posix::stream_descriptor input_;
  std::string memory_;
  bool as_router_child_;
};

// The event "start": what this process was given.
void log_start(const Options& options);

}  // namespace hf::stub
