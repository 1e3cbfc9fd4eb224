#include "net/upstream_connect.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace hf::net {
namespace {

constexpr std::chrono::milliseconds kBacklogRetry{5};
constexpr int kBacklogRetries =
    2000;  // 10 s: a child whose accept loop stands still that long is ill

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
  return {errno, boost::system::system_category()};
}

}  // namespace

Task<error_code> connect_upstream(Unix::socket& socket, std::string path) {
  error_code ec;
  socket.open(Unix(), ec);
  if (!ec) {
    socket.non_blocking(true, ec);
  }
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

}  // namespace hf::net
