#pragma once
// What a web browser may be made to do. A page must not be able to command a server on its
// visitor's machine (DNS rebinding, cross-site requests), and pages that the administrator names
// may use it (CORS). Why this is apart from keys: it protects servers that have none. Loop thread;
// reads the configuration only.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/errors.h"
#include "config/config.h"
#include "config/origin.h"
#include "net/exchange.h"

namespace hf::api {

class Site {
 public:
  // Borrows the configuration until the next use().
  explicit Site(const config::Config& config) { use(config); }
  void use(const config::Config& config);

  // The refusal of a request that somebody else's page may have caused.
  //
  // Host, without keys only: localhost, a loopback address, an address we listen on, the names by
  // which containers call their host (host.docker.internal, host.containers.internal), or one of
  // allowed_hosts; a missing one is fine (HTTP/1.0). A page that makes its own name point at us
  // (rebinding) sends that name, and must not get through. The containers' names are no such
  // names: .internal is reserved, nobody can register one there, and only who already answers the
  // machine's DNS queries could serve a page under it. With keys a page has nothing to send that
  // would let it in.
  //
  // Origin: of a request that changes state, opens a WebSocket or asks leave for either (preflight)
  // it must name the same host or be allowed by cors_origins.
  [[nodiscard]] std::optional<ApiError> check(const net::RequestHead& head) const;

  // The answer to an allowed origin that asks whether it may send a request (OPTIONS); nullopt: it
  // is something else. Needs no key, because browsers send none.
  [[nodiscard]] std::optional<net::Reply> preflight(const net::RequestHead& head) const;

  // What every answer to this request carries, so that the page may read it; none for other
  // origins.
  [[nodiscard]] std::vector<net::Header> headers(const net::RequestHead& head) const;

 private:
  [[nodiscard]] bool is_our_host(std::string_view authority) const;
  [[nodiscard]] bool is_allowed_origin(std::string_view origin) const;

  const config::Config* config_ = nullptr;
  std::vector<config::OriginPattern> origins_;
};

// The host in "HOST", "HOST:PORT" or "[V6]:PORT", without brackets, in lower case.
std::string host_of(std::string_view authority);

}  // namespace hf::api
