#pragma once
// A blocking TLS client for tests, and certificates made on the spot. Every wait ends after ten
// seconds, as a failure. One thread.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "net/tls_context.h"

struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;

namespace hf::net::testing {

// cert.pem and key.pem in a folder of their own, removed with it.
class TestCertificate {
 public:
  struct Options {
    std::string name = "localhost";  // "": no subjectAltName
    int days = 30;                   // until the end; negative: it has passed
  };
  TestCertificate() : TestCertificate(Options{}) {}
  explicit TestCertificate(const Options& options);
  ~TestCertificate();
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  [[nodiscard]] std::filesystem::path certificate() const { return folder_ / "cert.pem"; }
  [[nodiscard]] std::filesystem::path key() const { return folder_ / "key.pem"; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::shared_ptr<const TlsContext> load() const;

 private:
  std::filesystem::path folder_;
};

class TlsWire {
 public:
  // How the other side's stream ended.
  enum class End { Goodbye, Cut };

  explicit TlsWire(std::uint16_t port, int receive_buffer = 0);
  ~TlsWire();
  TlsWire(const TlsWire&) = delete;
  TlsWire& operator=(const TlsWire&) = delete;

  // Before handshake(): ALPN in its wire form, the newest version to speak (0: any).
  void offer(std::string_view protocols);
  void speak_at_most(int version);
  bool handshake();
  [[nodiscard]] std::string protocol() const;
  [[nodiscard]] int version() const;
  [[nodiscard]] bool was_resumed() const;
  // The session that a ticket brought, to begin the next connection with; owned by this.
  [[nodiscard]] ssl_session_st* session() const;
  void resume(ssl_session_st* session);

  bool send(std::string_view bytes);
  // Raw bytes below TLS.
  bool send_raw(std::string_view bytes);
  std::string read_until(std::string_view mark);
  std::string read_exactly(std::size_t count);
  // All that still comes, and how it ended.
  std::string read_to_end(End& end);
  // Asks for new keys in both directions with the next bytes.
  void update_keys();
  void say_goodbye();
  // The socket's write side, without a good-bye.
  void shut_write();
  void close();

 private:
  bool fill();

  ssl_ctx_st* context_ = nullptr;
  ssl_st* ssl_ = nullptr;
  int fd_ = -1;
  std::string buffer_;
  End end_ = End::Cut;
};

}  // namespace hf::net::testing
