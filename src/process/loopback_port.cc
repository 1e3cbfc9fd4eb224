#include "process/loopback_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "process/unique_fd.h"

namespace hf::process {

Result<std::uint16_t> free_loopback_port() {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const where = reinterpret_cast<sockaddr*>(&address);
  // Port 0: the kernel chooses, and not the same one soon again.
  if (!socket.valid() || ::bind(socket.get(), where, length) != 0 ||
      ::getsockname(socket.get(), where, &length) != 0) {
    const int error = errno;
    const bool none_left = error == EADDRINUSE || error == EMFILE || error == ENFILE;
    return fail(none_left ? Errc::ResourceExhausted : Errc::Io,
                "a port of 127.0.0.1: " + std::generic_category().message(error), error);
  }
  return ntohs(address.sin_port);
}

}  // namespace hf::process
