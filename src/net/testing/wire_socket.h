#pragma once
// A blocking socket for tests that speak HTTP by hand: a client of our server, or one connection of
// a fake upstream. Every wait ends after ten seconds, as a failure, so that a hang is a red test.
// One thread each.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace hf::net::testing {

// An answer read from the wire, body de-chunked.
struct WireAnswer {
  int status = 0;                              // 0: none came
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  bool complete = false;  // the framing's end was reached, not just the connection's
};

class WireSocket {
 public:
  WireSocket() = default;
  explicit WireSocket(int fd);  // owns it
  WireSocket(WireSocket&& other) noexcept;
  WireSocket& operator=(WireSocket&& other) noexcept;
  ~WireSocket();

  // `receive_buffer` in bytes, 0 for the kernel's choice: small to play a stalled reader.
  static WireSocket to_port(std::uint16_t port, int receive_buffer = 0);

  // False: the other side does not take it.
  bool send(std::string_view bytes);
  // Sends until the other side takes no more.
  void send_until_stuck();
  // Up to and with `mark`; what came so far if the connection ended before.
  std::string read_until(std::string_view mark);
  std::string read_exactly(std::size_t count);
  std::string read_to_end();
  // Waits for the end of the stream: true for a clean end or a reset, false if bytes came instead.
  bool ends();
  // Reads what is left and says whether a reset ended it.
  bool ends_with_reset();
  // `to_head`: the answer to a HEAD request.
  WireAnswer read_answer(bool to_head = false);

  // Of this end; 0 for a unix socket.
  [[nodiscard]] std::uint16_t port() const;
  // Bytes have come that nobody has read.
  void wait_for_input();
  void shut_write();
  void close();
  void reset();

 private:
  bool fill();

  int fd_ = -1;
  std::string buffer_;  // received, not yet handed out
  bool was_reset_ = false;
};

// A child's unix socket in a directory of its own, or a loopback port. Accepts one connection after
// the other.
class FakeUpstream {
 public:
  enum class Kind { Path, Port };
  explicit FakeUpstream(Kind kind = Kind::Path);
  ~FakeUpstream();
  FakeUpstream(const FakeUpstream&) = delete;
  FakeUpstream& operator=(const FakeUpstream&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  WireSocket accept();
  // The header block of the request and as many body bytes as its Content-Length says.
  static std::string read_request(WireSocket& connection);
  // Nobody listens any more; connecting is refused.
  void stop();

 private:
  void listen_on_path();
  void listen_on_port();

  std::string directory_;
  std::string path_;
  std::uint16_t port_ = 0;
  int fd_ = -1;
};

// An integer option of this process's socket whose other end has that port: the server's side of a
// test's connection. Fails the test's program when there is none.
int socket_option_towards(std::uint16_t port, int level, int name);

}  // namespace hf::net::testing
