#pragma once
// A real server on a loopback port with its loop on a thread of its own, and a service whose
// answers the test gives. Everything an Exchange does is posted to the loop; the test waits for
// states, never for time.

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/assert.h"
#include "net/exchange.h"
#include "net/server.h"
#include "net/testing/wire_socket.h"

namespace hf::net::testing {

// Hands values from the loop to the test. pop() gives up, loudly, after ten seconds.
template <class T>
class Mailbox {
 public:
  void push(T value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
    arrived_.notify_one();
  }
  T pop() {
    std::unique_lock lock(mutex_);
    const bool came =
        arrived_.wait_for(lock, std::chrono::seconds(10), [this] { return !values_.empty(); });
    HF_ASSERT(came, "nothing came in ten seconds");
    T value = std::move(values_.front());
    values_.pop_front();
    return value;
  }
  bool empty() {
    const std::lock_guard lock(mutex_);
    return values_.empty();
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<T> values_;
};

// What a relay told, in the order of its telling.
struct RelayEvents {
  Mailbox<std::string> calls;  // "first", "stall", "unstall", "done"
  Mailbox<RelayResult> results;
};

class TestServer final : public Service {
 public:
  explicit TestServer(ServerOptions options = {});
  ~TestServer() override;
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  // Set before the first connection. Run on the loop.
  std::function<std::optional<Reply>(const RequestHead&)> judge;
  std::function<void(std::shared_ptr<Exchange>)> handler;  // default: keep it for next_exchange()
  std::uint64_t limit = 1024 * 1024;
  std::uint64_t limit_of_all = 1024 * 1024 * 1024;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] WireSocket connect() const { return WireSocket::to_port(port_); }
  // The next request that came in. Borrowed; lives as long as the server. Its head and body may be
  // read from the test's thread.
  Exchange& next_exchange() { return *exchanges_.pop(); }
  // Runs on the loop, returns when done.
  void on_loop(const std::function<void()>& work);
  void reply(Exchange& exchange, int status, std::string body);
  void relay(Exchange& exchange, const std::string& socket_path, RelayEvents& events);
  // The same with a plan of the test's own; what it leaves open is filled in.
  void relay(Exchange& exchange, RelayPlan plan, RelayEvents& events);
  void start_stream(Exchange& exchange, std::string content_type);
  void write(Exchange& exchange, std::string piece);
  void end_stream(Exchange& exchange, std::string last_piece);
  void break_stream(Exchange& exchange, std::string last_words);
  void abort_relay(Exchange& exchange);
  // The mailbox gets a word when the client leaves.
  void watch_disconnect(Exchange& exchange, Mailbox<std::string>& gone);
  void use_tls(std::shared_ptr<const TlsContext> context);
  void stop_accepting();
  void close_all();
  // Returns when no connection is left.
  void wait_until_empty();
  std::size_t open_connections();

  std::optional<Reply> check_head(const RequestHead& head) override;
  std::uint64_t body_limit(const RequestHead& head) const override;
  std::uint64_t bodies_limit() const override { return limit_of_all; }
  Reply too_large(const RequestHead& head, std::uint64_t limit) override;
  // Its body is the path, if a head was read, and the detail.
  Reply unfit(Unfit reason, const RequestHead* head, std::string_view why) override;
  void handle(std::shared_ptr<Exchange> exchange) override;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<Server> server_;
  std::vector<std::shared_ptr<Exchange>> held_;  // loop thread
  Mailbox<Exchange*> exchanges_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

// What stream_error is made to say by TestServer::relay.
inline constexpr std::string_view kBrokenEvent = "data: {\"error\":\"broken\"}\n\n";
inline constexpr std::string_view kAbortedEvent = "data: {\"error\":\"aborted\"}\n\n";

std::string get(std::string_view target, std::string_view more_headers = {});
std::string post(std::string_view target, std::string_view body,
                 std::string_view more_headers = {});

}  // namespace hf::net::testing
