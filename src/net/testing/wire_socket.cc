#include "net/testing/wire_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace hf::net::testing {
namespace {

constexpr timeval kWaitMax{10, 0};

void bound_waits(int fd) {
  HF_ASSERT(::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kWaitMax, sizeof(kWaitMax)) == 0,
            "rcvtimeo");
  HF_ASSERT(::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kWaitMax, sizeof(kWaitMax)) == 0,
            "sndtimeo");
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

void parse_header_block(const std::string& block, WireAnswer& answer) {
  if (block.size() < 12) {
    return;
  }
  answer.status = std::atoi(block.c_str() + 9);
  std::size_t at = block.find("\r\n") + 2;
  while (at < block.size() && block.compare(at, 2, "\r\n") != 0) {
    const std::size_t end = block.find("\r\n", at);
    const std::size_t colon = block.find(": ", at);
    answer.headers[lower(block.substr(at, colon - at))] = block.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
}

}  // namespace

WireSocket::WireSocket(int fd) : fd_(fd) {
  HF_ASSERT(fd >= 0, "no connection");
  bound_waits(fd_);
}

WireSocket::WireSocket(WireSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      buffer_(std::move(other.buffer_)),
      was_reset_(other.was_reset_) {}

WireSocket& WireSocket::operator=(WireSocket&& other) noexcept {
  close();
  fd_ = std::exchange(other.fd_, -1);
  buffer_ = std::move(other.buffer_);
  was_reset_ = other.was_reset_;
  return *this;
}

WireSocket::~WireSocket() {
  close();
}

WireSocket WireSocket::to_port(std::uint16_t port, int receive_buffer) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int rc = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  HF_ASSERT(rc == 0, "connect to the server");
  return WireSocket(fd);
}

bool WireSocket::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void WireSocket::send_until_stuck() {
  constexpr int kStuckMs = 300;  // longer than the other side's loop is away
  const std::string piece(64 * 1024, 'x');
  pollfd poll_fd{fd_, POLLOUT, 0};
  while (::poll(&poll_fd, 1, kStuckMs) == 1) {
    const ssize_t count = ::send(fd_, piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    HF_ASSERT(count > 0 || errno == EAGAIN, "the other side is there");
  }
}

bool WireSocket::fill() {
  std::array<char, 16384> piece{};
  const ssize_t count = ::recv(fd_, piece.data(), piece.size(), 0);
  HF_ASSERT(count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK), "nothing came in ten seconds");
  if (count <= 0) {
    was_reset_ = count < 0 && errno == ECONNRESET;
    return false;
  }
  buffer_.append(piece.data(), static_cast<std::size_t>(count));
  return true;
}

std::string WireSocket::read_until(std::string_view mark) {
  std::size_t at = buffer_.find(mark);
  while (at == std::string::npos && fill()) {
    at = buffer_.find(mark);
  }
  const std::size_t count = at == std::string::npos ? buffer_.size() : at + mark.size();
  return read_exactly(count);
}

std::string WireSocket::read_exactly(std::size_t count) {
  while (buffer_.size() < count && fill()) {
  }
  std::string bytes = buffer_.substr(0, count);
  buffer_.erase(0, bytes.size());
  return bytes;
}

std::string WireSocket::read_to_end() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

bool WireSocket::ends() {
  return buffer_.empty() && !fill();
}

bool WireSocket::ends_with_reset() {
  read_to_end();
  return was_reset_;
}

WireAnswer WireSocket::read_answer(bool to_head) {
  WireAnswer answer;
  parse_header_block(read_until("\r\n\r\n"), answer);
  if (to_head || answer.status == 204 || answer.status / 100 == 1) {
    answer.complete = answer.status != 0;
  } else if (answer.headers.contains("content-length")) {
    const auto length = std::strtoull(answer.headers["content-length"].c_str(), nullptr, 10);
    answer.body = read_exactly(length);
    answer.complete = answer.body.size() == length;
  } else if (answer.headers.contains("transfer-encoding")) {
    for (;;) {
      const std::string line = read_until("\r\n");
      if (line.size() < 3 || !line.ends_with("\r\n")) {
        return answer;
      }
      const auto size = std::strtoull(line.c_str(), nullptr, 16);
      const std::string chunk = read_exactly(size + 2);
      answer.body += chunk.substr(0, size);
      if (size == 0) {
        answer.complete = chunk == "\r\n";
        return answer;
      }
    }
  } else {
    answer.body = read_to_end();
  }
  return answer;
}

std::uint16_t WireSocket::port() const {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  const int rc = ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
  return rc == 0 && address.sin_family == AF_INET ? ntohs(address.sin_port) : std::uint16_t{0};
}

void WireSocket::shut_write() {
  ::shutdown(fd_, SHUT_WR);
}

void WireSocket::wait_for_input() {
  char byte = 0;
  HF_ASSERT(::recv(fd_, &byte, 1, MSG_PEEK) == 1, "nothing came in ten seconds");
}

void WireSocket::close() {
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));
  }
}

void WireSocket::reset() {
  const linger hard{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  close();
}

FakeUpstream::FakeUpstream(Kind kind) {
  if (kind == Kind::Path) {
    listen_on_path();
  } else {
    listen_on_port();
  }
}

void FakeUpstream::listen_on_port() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bound_waits(fd_);
  int rc = ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  HF_ASSERT(rc == 0 && ::listen(fd_, 16) == 0, "a listening port");
  rc = ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
  HF_ASSERT(rc == 0, "the port's number");
  port_ = ntohs(address.sin_port);
}

void FakeUpstream::listen_on_path() {
  std::string pattern = "/tmp/hf-net-XXXXXX";
  HF_ASSERT(::mkdtemp(pattern.data()) != nullptr, "a directory for the socket");
  directory_ = pattern;
  path_ = directory_ + "/s";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bound_waits(fd_);
  const int rc = ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  HF_ASSERT(rc == 0 && ::listen(fd_, 16) == 0, "a listening unix socket");
}

FakeUpstream::~FakeUpstream() {
  stop();
  if (!path_.empty()) {
    ::unlink(path_.c_str());
    ::rmdir(directory_.c_str());
  }
}

WireSocket FakeUpstream::accept() {
  return WireSocket(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
}

std::string FakeUpstream::read_request(WireSocket& connection) {
  std::string request = connection.read_until("\r\n\r\n");
  const std::size_t at = request.find("Content-Length: ");
  if (at != std::string::npos) {
    request += connection.read_exactly(std::strtoull(request.c_str() + at + 16, nullptr, 10));
  }
  return request;
}

void FakeUpstream::stop() {
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));
  }
}

int socket_option_towards(std::uint16_t port, int level, int name) {
  constexpr int kDescriptorsMax = 4096;
  for (int fd = 0; fd < kDescriptorsMax; ++fd) {
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
        address.sin_family == AF_INET && ntohs(address.sin_port) == port) {
      int value = 0;
      size = sizeof(value);
      HF_ASSERT(::getsockopt(fd, level, name, &value, &size) == 0, "the option");
      return value;
    }
  }
  HF_ASSERT(false, "no socket of ours is connected to that port");
  return 0;
}

}  // namespace hf::net::testing
