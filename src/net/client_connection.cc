#include "net/client_connection.h"

#include <netinet/tcp.h>

#include <algorithm>
#include <vector>

namespace hf::net {
namespace {

constexpr std::size_t kPipelinedBytesMax = 64 * 1024;  // one more header block
constexpr std::size_t kIdleCapacity = 8 * 1024;  // what a connection without a request may keep
constexpr std::chrono::seconds kLingerTime{2};
// A refused upload is drained that far: the largest body of the default config and some more,
// because common clients read the answer only after they have sent everything.
constexpr std::size_t kLingerBytesMax = 96 * 1024 * 1024;
constexpr std::size_t kScratchBytes = 64 * 1024;

// A peer that vanished without a word is noticed after about 90 s, also while it waits for an
// answer.
constexpr int kKeepAliveIdleSeconds = 60;
constexpr int kKeepAliveIntervalSeconds = 10;
constexpr int kKeepAliveProbes = 3;
constexpr int kUnacknowledgedMaxMs = 90'000;  // the same for one to whom heartbeats were sent

void prepare_socket(Tcp::socket& socket) {
  error_code ignored;  // each of these only improves things
  socket.non_blocking(true, ignored);
  socket.set_option(Tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  using Idle = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>;
  using Interval = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>;
  using Probes = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPCNT>;
  socket.set_option(Idle(kKeepAliveIdleSeconds), ignored);
  socket.set_option(Interval(kKeepAliveIntervalSeconds), ignored);
  socket.set_option(Probes(kKeepAliveProbes), ignored);
}

std::string peer_name(const Tcp::socket& socket) {
  error_code ec;
  const Tcp::endpoint peer = socket.remote_endpoint(ec);
  if (ec) {
    return "?";
  }
  const std::string host = peer.address().to_string();
  const std::string port = std::to_string(peer.port());
  return peer.address().is_v6() ? "[" + host + "]:" + port : host + ":" + port;
}

bool is_would_block(error_code ec) {
  return ec == asio::error::would_block || ec == asio::error::try_again;
}

}  // namespace

ClientConnection::ClientConnection(Tcp::socket socket)
    : socket_(std::move(socket)), deadline_(socket_.get_executor()), peer_(peer_name(socket_)) {
  prepare_socket(socket_);
}

std::string_view ClientConnection::input() const {
  const asio::const_buffer data = input_.cdata();
  return {static_cast<const char*>(data.data()), data.size()};
}

Task<error_code> ClientConnection::read_some(std::size_t bytes_max) {
  const asio::mutable_buffer room = input_.prepare(bytes_max);
  auto [ec, count] = co_await socket_.async_read_some(room, kAwait);
  input_.commit(count);
  co_return ec;
}

Task<error_code> ClientConnection::wait_input() {
  if (input_.size() > 0) {
    co_return error_code{};
  }
  if (input_.capacity() > kIdleCapacity) {
    input_.shrink_to_fit();
  }
  auto [ec] = co_await socket_.async_wait(Tcp::socket::wait_read, kAwait);
  co_return ec;
}

Task<void> ClientConnection::watch() {
  for (;;) {
    const bool full = input_.size() >= kPipelinedBytesMax;
    const auto kind = full ? Tcp::socket::wait_error : Tcp::socket::wait_read;
    auto [wait_error] = co_await socket_.async_wait(kind, kAwait);
    if (wait_error || full) {
      co_return;
    }
    const std::size_t left = kPipelinedBytesMax - input_.size();
    error_code ec;
    const asio::mutable_buffer room = input_.prepare(std::min<std::size_t>(left, 4096));
    const std::size_t count = socket_.read_some(room, ec);
    if (!ec) {
      input_.commit(count);
    } else if (!is_would_block(ec)) {
      co_return;
    }
  }
}

error_code ClientConnection::write_now(std::string_view& bytes, std::size_t& count) {
  error_code ec;
  count = socket_.write_some(asio::buffer(bytes.data(), bytes.size()), ec);
  bytes.remove_prefix(count);
  return is_would_block(ec) ? error_code{} : ec;
}

Task<error_code> ClientConnection::write(std::string_view& rest, StallWatch* stall) {
  while (!rest.empty()) {
    std::size_t count = 0;
    if (const error_code ec = write_now(rest, count)) {
      co_return ec;
    }
    if (count > 0) {
      if (stall != nullptr) {
        stall->progressed();
      }
      continue;
    }
    if (stall != nullptr) {
      stall->blocked();
    }
    auto [wait_error] = co_await socket_.async_wait(Tcp::socket::wait_write, kAwait);
    if (wait_error) {
      co_return wait_error;
    }
  }
  co_return error_code{};
}

Task<error_code> ClientConnection::write_within(std::string_view bytes,
                                                std::chrono::seconds progress) {
  while (!bytes.empty()) {
    std::size_t count = 0;
    if (const error_code ec = write_now(bytes, count)) {
      co_return ec;
    }
    if (count > 0) {
      continue;
    }
    set_deadline(progress);
    auto [wait_error] = co_await socket_.async_wait(Tcp::socket::wait_write, kAwait);
    if (wait_error) {
      co_return wait_error;
    }
  }
  clear_deadline();
  co_return error_code{};
}

void ClientConnection::give_up_unacknowledged(bool on) {
  if (on == gives_up_unacknowledged_) {
    return;
  }
  gives_up_unacknowledged_ = on;
  using Timeout = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;
  error_code ignored;  // it only improves things
  socket_.set_option(Timeout(on ? kUnacknowledgedMaxMs : 0), ignored);
}

void ClientConnection::set_deadline(std::chrono::steady_clock::duration after) {
  deadline_.set(after, [this] { cancel(); });
}

void ClientConnection::shut_send() {
  error_code ignored;
  socket_.shutdown(Tcp::socket::shutdown_send, ignored);
}

void ClientConnection::cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void ClientConnection::close() {
  deadline_.clear();
  error_code ignored;
  socket_.close(ignored);
}

void ClientConnection::reset() {
  error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

Task<void> ClientConnection::linger() {
  error_code ec;
  socket_.shutdown(Tcp::socket::shutdown_send, ec);
  set_deadline(kLingerTime);
  input_.clear();
  std::vector<char> scratch(kScratchBytes);
  std::size_t drained = 0;
  while (!ec && drained < kLingerBytesMax) {
    auto [read_error, count] = co_await socket_.async_read_some(asio::buffer(scratch), kAwait);
    ec = read_error;
    drained += count;
  }
  close();
}

}  // namespace hf::net
