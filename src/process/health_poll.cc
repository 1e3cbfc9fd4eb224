#include "process/health_poll.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <exception>
#include <utility>

#include "base/assert.h"

namespace hf::process {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using namespace std::chrono_literals;

// A child that is busy reading weights may accept and not answer; the next question may fare
// better.
constexpr auto kAnswerDeadline = 1000ms;
// A small cached model is ready within 100 ms, so the first questions come fast.
constexpr auto kFast = 10ms;
constexpr int kFastCount = 20;
constexpr auto kMedium = 50ms;
constexpr int kMediumCount = kFastCount + 40;
constexpr auto kSlow = 250ms;
constexpr std::size_t kHeaderBytesMax = 16 * 1024;

template <class Protocol>
using Endpoint = typename Protocol::endpoint;

// The status of the answer; 0: there was none.
template <class Protocol>
asio::awaitable<int> ask(Endpoint<Protocol> endpoint, std::string path) {
  constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
  beast::basic_stream<Protocol> stream(co_await asio::this_coro::executor);
  stream.expires_after(kAnswerDeadline);
  auto [connect_error] = co_await stream.async_connect(endpoint, kToken);
  if (connect_error) {
    co_return 0;
  }
  http::request<http::empty_body> request(http::verb::get, path, 11);
  request.set(http::field::host, "localhost");
  request.keep_alive(false);
  auto [write_error, written] = co_await http::async_write(stream, request, kToken);
  if (write_error) {
    co_return 0;
  }
  beast::flat_buffer buffer;
  http::response_parser<http::empty_body> parser;
  parser.header_limit(kHeaderBytesMax);
  auto [read_error, got] = co_await http::async_read_header(stream, buffer, parser, kToken);
  co_return read_error ? 0 : static_cast<int>(parser.get().result_int());
}

asio::awaitable<int> ask(const HealthTarget& target) {
  if (target.port != 0) {
    const Endpoint<asio::ip::tcp> address(asio::ip::address_v4::loopback(), target.port);
    return ask<asio::ip::tcp>(address, target.readiness.path);
  }
  const Endpoint<asio::local::stream_protocol> address(target.socket_path);
  return ask<asio::local::stream_protocol>(address, target.readiness.path);
}

bool serves(int status, const Readiness& readiness) {
  return readiness.success_only ? status >= 200 && status < 300 : status > 0 && status < 500;
}

}  // namespace

HealthPoll::HealthPoll(asio::io_context& io, HealthTarget target, std::function<void()> on_healthy)
    : io_(io), target_(std::move(target)), on_healthy_(std::move(on_healthy)), timer_(io) {}

void HealthPoll::start(std::shared_ptr<void> owner) {
  asio::co_spawn(io_, run(std::move(owner)), [](const std::exception_ptr& failure) {
    HF_ASSERT(!failure, "the health poll handles its errors where they arise");
  });
}

void HealthPoll::ask_seldom() {
  seldom_ = true;
}

void HealthPoll::ask_now() {
  urgent_ = true;
  timer_.cancel();
}

void HealthPoll::stop() {
  stopped_ = true;
  timer_.cancel();
}

std::chrono::milliseconds HealthPoll::interval() const {
  if (urgent_) {
    return kFast;
  }
  if (seldom_ || other_answered_) {
    return kSlow;
  }
  return asked_ <= kFastCount ? kFast : asked_ <= kMediumCount ? kMedium : kSlow;
}

asio::awaitable<void> HealthPoll::run(std::shared_ptr<void> owner) {
  constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
  while (!stopped_) {
    timer_.expires_after(interval());
    // Cancelled means "now", so the error says nothing; stopped_ is asked instead.
    static_cast<void>(co_await timer_.async_wait(kToken));
    if (stopped_) {
      break;
    }
    ++asked_;
    const int status = co_await ask(target_);
    last_status_ = status != 0 ? status : last_status_;
    const bool good = serves(status, target_.readiness) && !stopped_;
    other_answered_ = good && !target_.is_own();
    if (good && !other_answered_) {
      stopped_ = true;
      on_healthy_();
    }
  }
  owner.reset();
}

}  // namespace hf::process
