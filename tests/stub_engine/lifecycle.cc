#include "stub_engine/lifecycle.h"

#include <dirent.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace hf::stub {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
constexpr auto kLookAgain = 2ms;

json::array own_descriptors() {
  json::array numbers;
  DIR* directory = ::opendir("/proc/self/fd");
  while (const dirent* entry = ::readdir(directory)) {
    const int number = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && number != ::dirfd(directory)) {
      numbers.emplace_back(number);
    }
  }
  ::closedir(directory);
  return numbers;
}

}  // namespace

void log_start(const Options& options) {
  json::array arguments;
  for (const std::string& argument : options.all) {
    arguments.emplace_back(argument);
  }
  json::array variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
  log_event(options.model, "start",
            json::object{{"args", std::move(arguments)},
                         {"env", std::move(variables)},
                         {"fds", own_descriptors()}});
}

Lifecycle::Lifecycle(asio::io_context& io, const Options& options, const Script& script,
                     Server& server)
    : io_(io),
      options_(options),
      script_(script),
      server_(server),
      signals_(io),
      input_(io),
      as_router_child_(std::getenv("LLAMA_SERVER_ROUTER_PORT") != nullptr) {}

void Lifecycle::start() {
  if (script_.ignore_sigterm) {
    ::signal(SIGTERM, SIG_IGN);
  }
  asio::co_spawn(io_, load(), asio::detached);
}

void Lifecycle::print_state(const std::string& state) const {
  if (as_router_child_ && !script_.silent) {
    std::fprintf(stdout, "\ncmd_child_to_router:state:%s\n", state.c_str());
    std::fflush(stdout);
  }
}

void Lifecycle::print_logs() const {
  for (int number = 1; number <= script_.log_lines; ++number) {
    std::fprintf(stderr, "stub log line %d\n", number);
  }
  if (script_.log_line_bytes > 0) {
    const std::string line(static_cast<std::size_t>(script_.log_line_bytes), 'z');
    std::fprintf(stderr, "%s\n", line.c_str());
  }
}

void Lifecycle::leave_grandchild() {
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (;;) {
      ::pause();
    }
  }
  log_event(options_.model, "grandchild", json::object{{"grandchild", pid}});
}

// What cannot be had ends it, as it ends the stock engine.
void Lifecycle::take_memory() {
  try {
    memory_.assign(static_cast<std::size_t>(script_.load_bytes), 'm');
  } catch (const std::bad_alloc& failure) {
    std::fprintf(stderr, "stub: failed to load: %s\n", failure.what());
    end(1);
  }
}

asio::awaitable<void> Lifecycle::load() {
  constexpr const char* kProgress = R"({{"state":"loading","payload":{{"stages":["text_model"],)"
                                    R"("current":"text_model","value":{}}}}})";
  print_state(fmt::format(kProgress, "0.0"));
  print_logs();
  take_memory();
  if (script_.grandchild) {
    leave_grandchild();
  }
  asio::steady_timer timer(io_, std::chrono::milliseconds(script_.load_ms));
  static_cast<void>(co_await timer.async_wait(kToken));
  while (script_.load_hang ||
         (!script_.load_until.empty() && ::access(script_.load_until.c_str(), F_OK) != 0)) {
    timer.expires_after(kLookAgain);
    static_cast<void>(co_await timer.async_wait(kToken));
  }
  if (!script_.load_message.empty()) {
    std::fprintf(stderr, "%s\n", script_.load_message.c_str());
  }
  if (script_.load_exit) {
    end(*script_.load_exit);
  }
  print_state(fmt::format(kProgress, "1.0"));
  // From here on it ends in the stock server's way; before, SIGTERM simply kills it.
  if (!script_.ignore_sigterm) {
    signals_.add(SIGTERM);
    asio::co_spawn(io_, watch_signals(), asio::detached);
  }
  if (as_router_child_ && !script_.ignore_sigterm) {
    input_.assign(::dup(STDIN_FILENO));
    asio::co_spawn(io_, watch_input(), asio::detached);
  }
  server_.set_ready();
  log_event(options_.model, "ready");
  print_state(R"({"state":"ready","payload":{"id":"stub"}})");
}

asio::awaitable<void> Lifecycle::watch_signals() {
  auto [error, number] = co_await signals_.async_wait(kToken);
  if (error) {
    co_return;
  }
  log_event(options_.model, "sigterm");
  server_.close_all();
  if (!as_router_child_) {
    end(0);
  }
}

asio::awaitable<void> Lifecycle::watch_input() {
  std::string text;
  for (;;) {
    auto buffer = asio::dynamic_buffer(text);
    auto [error, size] = co_await asio::async_read_until(input_, buffer, '\n', kToken);
    if (error) {
      log_event(options_.model, "input_closed");
      end(1);
    }
    if (text.find("cmd_router_to_child:exit") < size) {
      log_event(options_.model, "exit_line");
      end(0);
    }
    text.erase(0, size);
  }
}

void Lifecycle::end(int status) const {
  log_event(options_.model, "exit", json::object{{"code", status}});
  std::fflush(nullptr);
  ::_exit(status);
}

}  // namespace hf::stub
