#pragma once
// The listener: accepts on every given address, runs one coroutine a connection, and stops in two
// steps. One io_context, one thread. Sessions keep alive; a slow or silent client is cut by a
// header deadline.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/exchange.h"
#include "net/tls_context.h"

namespace boost::asio {
class io_context;
}

namespace hf::net {

struct ListenAddress {
  std::string host;        // numeric address
  std::uint16_t port = 0;  // 0: the kernel chooses, see Server::ports()
};

struct ServerOptions {
  std::vector<ListenAddress> listen;
  std::chrono::seconds header_deadline{
      20};  // from accept, or the end of the last answer plus first byte
  std::chrono::seconds idle_deadline{75};   // a kept-alive connection without a request
  std::chrono::seconds body_deadline{120};  // without any progress while a body comes in
  std::size_t header_bytes_max = 64 * 1024;
  std::size_t connections_max = 4096;  // further ones get 503 (or nothing, by TLS) and are closed
  // Connections by a loopback address may be plain although there is a certificate: they never
  // leave the machine.
  bool plain_on_loopback = true;
};

class Server {
 public:
  // Borrows the context and the service; both outlive the server.
  Server(boost::asio::io_context& io, Service& service, ServerOptions options);
  ~Server();  // requires stop() to have been called and the loop to have run dry, or never started

  // Binds and starts to accept. Errors: Unavailable (address in use), PermissionDenied,
  // InvalidArgument.
  Status start();
  // From the next connection on; null: plain ones. Those that are there stay as they are.
  void use_tls(std::shared_ptr<const TlsContext> context);
  // Ports really bound, in the order of options.listen.
  [[nodiscard]] std::vector<std::uint16_t> ports() const;
  // Step one: no new connections; idle kept-alive ones close; running exchanges go on.
  void stop_accepting();
  // Step two: cuts what is left.
  void close_all();
  [[nodiscard]] std::size_t open_connections() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace hf::net
