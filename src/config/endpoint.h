#pragma once
// Addresses as people write them: where the server listens (`listen`), and where a command finds
// the server (HOLDFAST_HOST). They differ: a listener needs numeric addresses, and "localhost"
// stands for both loopback addresses, while a client may name a host, a scheme and a path in front
// of the API. Pure functions without name resolution; any thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hf::config {

// The server's port unless something else is said.
constexpr std::uint16_t kDefaultPort = 11435;

struct SocketAddress {
  std::string ip;          // numeric, IPv6 without brackets: "127.0.0.1", "::1"
  std::uint16_t port = 0;  // 0: the kernel chooses

  bool operator==(const SocketAddress&) const = default;
};

// "127.0.0.1:11435" or "[::1]:11435", for messages.
std::string to_text(const SocketAddress& address);

// 127.0.0.0/8, ::1, and the first written as an IPv6 address (::ffff:127.0.0.1).
bool is_loopback(const SocketAddress& address);

// "IP:PORT", "[IPV6]:PORT" or "localhost:PORT"; the port may be left out. "localhost" gives two
// addresses, 127.0.0.1 first. Errors: InvalidArgument; other host names are refused, because which
// addresses they stand for may change between two starts.
Result<std::vector<SocketAddress>> parse_listen(std::string_view text);

struct Endpoint {
  std::string host;  // a name or a numeric address, IPv6 without brackets
  std::uint16_t port = kDefaultPort;
  bool tls = false;  // https://
  std::string path;  // "" or "/prefix", never with a slash at its end

  bool operator==(const Endpoint&) const = default;
};

// "HOST:PORT", "HOST", ":PORT", "http://HOST[:PORT][/PREFIX]", "https://…". Without a port: 11435,
// but 80 and 443 behind a written scheme, as everywhere. Errors: InvalidArgument that says what is
// wrong.
Result<Endpoint> parse_endpoint(std::string_view text);

}  // namespace hf::config
