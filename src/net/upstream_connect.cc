#include "net/upstream_connect.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "net/alarm.h"

namespace hf::net {
namespace {

constexpr std::chrono::milliseconds kBacklogRetry{5};
constexpr int kBacklogRetries =
    2000;  // 10 s: a child whose accept loop stands still that long is ill
constexpr std::chrono::seconds kConnectTime{10};  // the same for a port

error_code last_error() {
  return {errno, boost::system::system_category()};
}

error_code open(UpstreamSocket& socket, int family) {
  error_code ec;
  socket.open(asio::generic::stream_protocol(family, 0), ec);
  if (!ec) {
    socket.non_blocking(true, ec);
  }
  return ec;
}

error_code connect_once(int fd, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return asio::error::name_too_long;
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    return {};
  }
  return last_error();
}

Task<error_code> connect_path(UpstreamSocket& socket, const std::string& path) {
  error_code ec = open(socket, AF_UNIX);
  if (ec) {
    co_return ec;
  }
  asio::steady_timer pause(socket.get_executor());
  for (int attempt = 0; attempt < kBacklogRetries; ++attempt) {
    ec = connect_once(socket.native_handle(), path);
    if (ec != asio::error::try_again && ec != asio::error::interrupted) {
      break;
    }
    pause.expires_after(kBacklogRetry);
    auto [cancelled] = co_await pause.async_wait(kAwait);
    if (cancelled) {
      co_return cancelled;
    }
  }
  co_return ec;
}

// The kernel picks the near port, and where nobody listens it may pick the very port that is to be
// reached: TCP then connects the socket to itself.
bool is_connected_to_itself(int fd) {
  sockaddr_in near{};
  sockaddr_in far{};
  socklen_t near_size = sizeof(near);
  socklen_t far_size = sizeof(far);
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&near), &near_size) == 0 &&
         ::getpeername(fd, reinterpret_cast<sockaddr*>(&far), &far_size) == 0 &&
         near.sin_port == far.sin_port;
}

// The outcome of a connect that was in progress.
error_code finished_connect(int fd) {
  int code = 0;
  socklen_t size = sizeof(code);
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0) {
    return last_error();
  }
  return {code, boost::system::system_category()};
}

Task<error_code> connect_port(UpstreamSocket& socket, std::uint16_t port) {
  error_code ec = open(socket, AF_INET);
  if (ec) {
    co_return ec;
  }
  const int fd = socket.native_handle();
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));  // it only improves things
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    ec = last_error();
    if (ec != asio::error::in_progress) {
      co_return ec;
    }
    bool late = false;
    Alarm alarm(socket.get_executor());
    alarm.set(kConnectTime, [&socket, &late] {
      late = true;
      error_code ignored;
      socket.cancel(ignored);
    });
    auto [cancelled] = co_await socket.async_wait(UpstreamSocket::wait_write, kAwait);
    if (late) {
      co_return asio::error::timed_out;
    }
    ec = cancelled ? cancelled : finished_connect(fd);
  }
  if (!ec && is_connected_to_itself(fd)) {
    co_return asio::error::connection_refused;
  }
  co_return ec;
}

}  // namespace

Task<error_code> connect_upstream(UpstreamSocket& socket, UpstreamAddress address) {
  error_code ec;
  if (address.port != 0) {
    ec = co_await connect_port(socket, address.port);
  } else {
    ec = co_await connect_path(socket, address.path);
  }
  co_return ec;
}

}  // namespace hf::net
