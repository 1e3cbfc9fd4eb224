#include "net/client_connection.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace hf::net {
namespace {

constexpr std::size_t kPipelinedBytesMax = 64 * 1024;  // one more header block
constexpr std::size_t kReadAhead = 4096;               // beside an answer, or before a request
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

bool ClientConnection::is_local() const {
  error_code ec;
  const Tcp::endpoint here = socket_.local_endpoint(ec);
  if (ec) {
    return false;
  }
  const asio::ip::address address = here.address();
  const bool mapped = address.is_v6() && address.to_v6().is_v4_mapped();
  return mapped ? asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback()
                : address.is_loopback();
}

Task<error_code> ClientConnection::wait(Tcp::socket::wait_type kind) {
  auto [ec] = co_await socket_.async_wait(kind, kAwait);
  co_return ec;
}

Task<error_code> ClientConnection::peek_first(char& byte) {
  for (;;) {
    const error_code ec = co_await wait(Tcp::socket::wait_read);
    if (ec) {
      co_return ec;
    }
    const ssize_t count = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count == 1) {
      co_return error_code{};
    }
    if (count == 0) {
      co_return asio::error::eof;
    }
    if (errno != EAGAIN && errno != EINTR) {
      co_return error_code(errno, boost::system::system_category());
    }
  }
}

Task<error_code> ClientConnection::start_tls(std::shared_ptr<const TlsContext> context) {
  context_ = std::move(context);
  tls_ = std::make_unique<TlsChannel>(*context_, socket_.native_handle());
  // Closed while it waited: then there is no channel any more.
  while (tls_ != nullptr) {
    const error_code ec = tls_->handshake();
    if (ec && !is_would_block(ec)) {
      co_return ec;
    }
    if (!ec && !has_unsent()) {
      co_return ec;
    }
    const error_code waited =
        co_await wait(has_unsent() ? Tcp::socket::wait_write : Tcp::socket::wait_read);
    if (waited) {
      co_return waited;
    }
  }
  co_return asio::error::operation_aborted;
}

error_code ClientConnection::receive_now(std::size_t bytes_max) {
  error_code ec;
  std::size_t count = 0;
  const asio::mutable_buffer room = input_.prepare(bytes_max);
  if (tls_ != nullptr) {
    ec = tls_->read_some({static_cast<char*>(room.data()), room.size()}, count);
  } else {
    count = socket_.read_some(room, ec);
  }
  input_.commit(count);
  return ec;
}

Task<error_code> ClientConnection::read_some(std::size_t bytes_max) {
  for (;;) {
    error_code ec = receive_now(bytes_max);
    if (!is_would_block(ec)) {
      co_return ec;
    }
    ec = co_await wait(Tcp::socket::wait_read);
    if (ec) {
      co_return ec;
    }
  }
}

Task<error_code> ClientConnection::wait_input() {
  if (input_.size() > 0) {
    co_return error_code{};
  }
  if (input_.capacity() > kIdleCapacity) {
    input_.shrink_to_fit();
  }
  // What came encrypted may be no content, and some of that may wait inside already.
  bool look = tls_ != nullptr && tls_->has_received();
  for (;;) {
    if (!look) {
      const error_code ec = co_await wait(Tcp::socket::wait_read);
      if (ec || tls_ == nullptr) {
        co_return ec;
      }
    }
    const error_code ec = receive_now(kReadAhead);
    if (!is_would_block(ec)) {
      co_return ec;
    }
    look = false;
  }
}

Task<void> ClientConnection::watch() {
  bool look = tls_ != nullptr && tls_->has_received();
  for (;;) {
    const bool full = input_.size() >= kPipelinedBytesMax;
    if (full || !look) {
      const error_code wait_error =
          co_await wait(full ? Tcp::socket::wait_error : Tcp::socket::wait_read);
      if (wait_error || full) {
        co_return;
      }
    }
    const error_code ec = receive_now(std::min(kPipelinedBytesMax - input_.size(), kReadAhead));
    if (ec && !is_would_block(ec)) {
      co_return;
    }
    look = !ec && tls_ != nullptr && tls_->has_received();
  }
}

error_code ClientConnection::write_now(std::string_view& bytes, std::size_t& count) {
  if (tls_ != nullptr) {
    return tls_->write_some(bytes, count);
  }
  error_code ec;
  count = socket_.write_some(asio::buffer(bytes.data(), bytes.size()), ec);
  bytes.remove_prefix(count);
  return is_would_block(ec) ? error_code{} : ec;
}

Task<error_code> ClientConnection::write(std::string_view& rest, StallWatch* stall) {
  while (!rest.empty() || has_unsent()) {
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
    const error_code wait_error = co_await wait(Tcp::socket::wait_write);
    if (wait_error) {
      co_return wait_error;
    }
  }
  co_return error_code{};
}

Task<error_code> ClientConnection::write_within(std::string_view bytes,
                                                std::chrono::seconds progress) {
  while (!bytes.empty() || has_unsent()) {
    std::size_t count = 0;
    if (const error_code ec = write_now(bytes, count)) {
      co_return ec;
    }
    if (count > 0) {
      continue;
    }
    set_deadline(progress);
    const error_code wait_error = co_await wait(Tcp::socket::wait_write);
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
  say_goodbye();
  if (has_unsent()) {
    return;  // the good-bye leaves at the end, and says it all
  }
  error_code ignored;
  socket_.shutdown(Tcp::socket::shutdown_send, ignored);
}

void ClientConnection::cancel() {
  error_code ignored;
  socket_.cancel(ignored);
}

void ClientConnection::say_goodbye() {
  if (tls_ != nullptr && goodbye_) {
    [[maybe_unused]] const error_code ignored = tls_->say_goodbye();
  }
}

void ClientConnection::close() {
  deadline_.clear();
  tls_.reset();  // before the descriptor, which may be another connection's next
  error_code ignored;
  socket_.close(ignored);
}

void ClientConnection::reset() {
  error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

// Sends what is left and the good-bye. The deadline is the caller's.
Task<error_code> ClientConnection::finish_tls() {
  while (tls_ != nullptr) {
    std::string_view nothing;
    std::size_t count = 0;
    const error_code ec = goodbye_ ? tls_->say_goodbye() : write_now(nothing, count);
    if (ec || !has_unsent()) {
      co_return ec;
    }
    const error_code waited = co_await wait(Tcp::socket::wait_write);
    if (waited) {
      co_return waited;
    }
  }
  co_return asio::error::operation_aborted;
}

Task<void> ClientConnection::linger() {
  set_deadline(kLingerTime);
  error_code ec;
  if (tls_ != nullptr) {
    ec = co_await finish_tls();
  }
  if (!ec) {
    socket_.shutdown(Tcp::socket::shutdown_send, ec);
  }
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
