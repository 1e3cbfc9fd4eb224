#include "config/endpoint.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <cstring>
#include <optional>

namespace hf::config {
namespace {

constexpr std::size_t kLongestHost = 253;  // RFC 1035: no longer name can be looked up

struct HostPort {
  std::string host;
  bool bracketed = false;
  std::optional<std::uint16_t> port;
};

std::string quoted(std::string_view text) {
  return '"' + std::string(text.substr(0, 80)) + '"';
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return port;
}

bool is_ipv4(const std::string& text) {
  in_addr parsed{};
  return inet_pton(AF_INET, text.c_str(), &parsed) == 1;
}

bool is_ipv6(const std::string& text) {
  in6_addr parsed{};
  return inet_pton(AF_INET6, text.c_str(), &parsed) == 1;
}

Result<HostPort> split_host_port(std::string_view text) {
  HostPort result;
  std::string_view rest = text;
  if (!text.empty() && text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) {
      return fail(Errc::InvalidArgument, "\"[\" without \"]\" in " + quoted(text));
    }
    result.host = std::string(text.substr(1, close - 1));
    result.bracketed = true;
    rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') {
      return fail(Errc::InvalidArgument, "only \":PORT\" may follow \"]\" in " + quoted(text));
    }
  } else if (is_ipv6(std::string(text))) {
    result.host = std::string(text);  // a bare "::1": every colon belongs to the address
    return result;
  } else {
    const std::size_t colon = text.find(':');
    result.host = std::string(text.substr(0, colon));
    rest = colon == std::string_view::npos ? std::string_view{} : text.substr(colon);
  }
  if (rest.empty()) {
    return result;
  }
  result.port = parse_port(rest.substr(1));
  if (!result.port) {
    return fail(Errc::InvalidArgument,
                quoted(rest.substr(1)) + " is not a port, expected a number from 0 to 65535");
  }
  return result;
}

bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > kLongestHost) {
    return false;
  }
  for (const char c : host) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '.' && c != '_') {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string to_text(const SocketAddress& address) {
  const bool six = address.ip.find(':') != std::string::npos;
  return (six ? '[' + address.ip + ']' : address.ip) + ':' + std::to_string(address.port);
}

bool is_loopback(const SocketAddress& address) {
  in_addr four{};
  if (inet_pton(AF_INET, address.ip.c_str(), &four) == 1) {
    return (ntohl(four.s_addr) >> 24) == 127;
  }
  in6_addr six{};
  if (inet_pton(AF_INET6, address.ip.c_str(), &six) != 1) {
    return false;
  }
  return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127);
}

Result<std::vector<SocketAddress>> parse_listen(std::string_view text) {
  const auto split = split_host_port(text);
  if (!split) {
    return fail(split.error());
  }
  const std::uint16_t port = split->port.value_or(kDefaultPort);
  if (split->host == "localhost" && !split->bracketed) {
    return std::vector<SocketAddress>{{"127.0.0.1", port}, {"::1", port}};
  }
  if (split->bracketed ? is_ipv6(split->host) : is_ipv4(split->host) || is_ipv6(split->host)) {
    return std::vector<SocketAddress>{{split->host, port}};
  }
  return fail(Errc::InvalidArgument,
              quoted(text) +
                  " is not an address to listen on, expected \"IP:PORT\", \"[IPV6]:PORT\" or "
                  "\"localhost:PORT\" (\"0.0.0.0:PORT\" for every interface)");
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  Endpoint endpoint;
  std::string_view rest = text;
  std::uint16_t port_of_scheme = kDefaultPort;
  if (const std::size_t scheme_end = text.find("://"); scheme_end != std::string_view::npos) {
    const std::string_view scheme = text.substr(0, scheme_end);
    if (scheme != "http" && scheme != "https") {
      return fail(Errc::InvalidArgument,
                  "unknown scheme " + quoted(scheme) + ", expected http:// or https://");
    }
    endpoint.tls = scheme == "https";
    port_of_scheme = endpoint.tls ? 443 : 80;
    rest = text.substr(scheme_end + 3);
  }
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
    endpoint.path = std::string(rest.substr(slash));
    rest = rest.substr(0, slash);
    while (!endpoint.path.empty() && endpoint.path.back() == '/') {
      endpoint.path.pop_back();
    }
  }
  if (endpoint.path.find_first_of("?# \t\r\n") != std::string::npos ||
      rest.find('@') != std::string_view::npos) {
    return fail(
        Errc::InvalidArgument,
        "no user, query or blank may stand in the server's address, expected HOST:PORT or a URL");
  }
  const auto split = split_host_port(rest);
  if (!split) {
    return fail(split.error());
  }
  endpoint.port = split->port.value_or(port_of_scheme);
  endpoint.host = split->host.empty() && !rest.empty() ? "127.0.0.1" : split->host;
  const bool good = split->bracketed ? is_ipv6(endpoint.host)
                                     : is_host_name(endpoint.host) || is_ipv6(endpoint.host);
  if (!good || endpoint.port == 0) {
    return fail(Errc::InvalidArgument, quoted(text) +
                                           " is not the address of a server, expected HOST:PORT or "
                                           "a URL such as http://127.0.0.1:11435");
  }
  return endpoint;
}

}  // namespace hf::config
