#include "config/origin.h"

#include <algorithm>
#include <charconv>

namespace hf::config {
namespace {

constexpr std::string_view kAfterScheme = "://";

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

// RFC 3986 §3.1
bool is_scheme(std::string_view text) {
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
         });
}

bool is_host(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
  });
}

bool is_ipv6(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef:.";
  return text.find(':') != std::string_view::npos &&
         text.find_first_not_of(kHex) == std::string_view::npos;
}

std::optional<std::uint16_t> own_port(std::string_view scheme) {
  if (scheme == "http") {
    return std::uint16_t{80};
  }
  return scheme == "https" ? std::optional(std::uint16_t{443}) : std::nullopt;
}

struct Parts {
  std::string scheme;
  std::string host;
  bool bracketed = false;
  std::optional<std::string> port;  // as written
};

// Nothing is judged but that it has the shape of an origin.
std::optional<Parts> split(std::string_view text) {
  const std::size_t colon = text.find(kAfterScheme);
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  Parts parts;
  parts.scheme = lower(text.substr(0, colon));
  std::string rest = lower(text.substr(colon + kAfterScheme.size()));
  std::size_t end = rest.find(':');
  if (rest.starts_with('[')) {
    const std::size_t close = rest.find(']');
    if (close == std::string::npos) {
      return std::nullopt;
    }
    parts.bracketed = true;
    parts.host = rest.substr(1, close - 1);
    end = close + 1;
    if (end < rest.size() && rest[end] != ':') {
      return std::nullopt;
    }
  } else {
    parts.host = rest.substr(0, end);
  }
  if (end < rest.size()) {
    parts.port = rest.substr(end + 1);
  }
  return is_scheme(parts.scheme) ? std::optional(std::move(parts)) : std::nullopt;
}

// Error: it is none.
Result<std::optional<std::uint16_t>> port_of(const Parts& parts) {
  if (!parts.port) {
    return std::optional<std::uint16_t>();
  }
  std::uint16_t number = 0;
  const char* const end = parts.port->data() + parts.port->size();
  const auto [stop, error] = std::from_chars(parts.port->data(), end, number);
  if (error != std::errc{} || stop != end || number == 0) {
    return fail(Errc::InvalidArgument, "\"" + parts.port->substr(0, 20) + "\" is not a port");
  }
  // A browser leaves the usual one out.
  return number == own_port(parts.scheme) ? std::optional<std::uint16_t>() : std::optional(number);
}

bool good_host(const Parts& parts) {
  return parts.bracketed ? is_ipv6(parts.host) : is_host(parts.host);
}

}  // namespace

std::optional<Origin> parse_origin(std::string_view text) {
  const std::optional<Parts> parts = split(text);
  if (!parts || !good_host(*parts)) {
    return std::nullopt;
  }
  const auto port = port_of(*parts);
  return port ? std::optional(Origin{parts->scheme, parts->host, *port}) : std::nullopt;
}

Result<OriginPattern> parse_origin_pattern(std::string_view text) {
  OriginPattern pattern;
  if (text == "*") {
    pattern.any = true;
    return pattern;
  }
  std::optional<Parts> parts = split(text);
  if (!parts) {
    return fail(Errc::InvalidArgument, "it is not an origin");
  }
  if (parts->host.find('/') != std::string::npos ||
      (parts->port && parts->port->find('/') != std::string::npos)) {
    return fail(Errc::InvalidArgument, "an origin has no path and no slash at its end");
  }
  if (parts->host == "*") {
    if (own_port(parts->scheme)) {
      return fail(Errc::InvalidArgument, "every site of the web would be meant");
    }
    pattern.any_host = true;
  } else if (!good_host(*parts)) {
    return fail(Errc::InvalidArgument, "its host is no name and no address");
  }
  if (parts->port == "*") {
    pattern.any_port = true;
    parts->port.reset();
  }
  const auto port = port_of(*parts);
  if (!port) {
    return fail(port.error());
  }
  pattern.origin = Origin{parts->scheme, parts->host, *port};
  return pattern;
}

bool matches(const OriginPattern& pattern, const Origin& origin) {
  return pattern.any || (pattern.origin.scheme == origin.scheme &&
                         (pattern.any_host || pattern.origin.host == origin.host) &&
                         (pattern.any_port || pattern.origin.port == origin.port));
}

}  // namespace hf::config
