#pragma once
// A small blocking HTTP client for the commands that talk to a running server (`ps`, `load`, …):
// one connection, one request, one answer. Any thread; it has nothing to do with the server's loop.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/exchange.h"

namespace hf::net {

struct ClientRequest {
  std::string host;  // a name or a numeric address, IPv6 without brackets
  std::uint16_t port = 0;
  bool tls = false;       // the server's name is verified
  std::string ca_file{};  // whom to trust; "": the system's list
  std::string method = "GET";
  std::string target = "/";  // percent-encoded
  std::vector<Header> headers{};
  std::string body{};
  std::chrono::seconds connect_within{5};
  std::optional<std::chrono::seconds> answer_within{};  // none: as long as it takes
};

struct ClientResponse {
  int status = 0;
  std::vector<Header> headers{};
  std::string body{};

  // Value of the first header of that name, or empty.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

// Errors: Unavailable when nobody listens there, NotFound for a name that does not resolve,
// PermissionDenied when its certificate is not trusted, InvalidArgument when ca_file cannot be
// used, Timeout, Io.
Result<ClientResponse> fetch(const ClientRequest& request);

// For one segment of a path or a value of a query: everything but A-Z a-z 0-9 - . _ ~ becomes %XX.
std::string percent_encode(std::string_view text);

}  // namespace hf::net
