#pragma once
// The parts of a web address that decide where a key may be sent and what may be shown. Exists so
// that addresses are taken apart in one way only, that of the library which fetches them. Pure; any
// thread.

#include <string>
#include <string_view>

#include "base/result.h"

namespace hf::pull {

struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case, IPv6 in brackets
  std::string port;    // always stated
  std::string path;    // as written (percent-encoded), at least "/"

  // Two addresses of the same origin are one server: a key for one is for the other.
  [[nodiscard]] std::string origin() const { return scheme + "://" + host + ":" + port; }
  // For people and files: without user, key, query and the usual port.
  [[nodiscard]] std::string shown() const;
  // By its name or number: nobody between us and it can read along.
  [[nodiscard]] bool is_loopback() const;
};

// Errors: InvalidArgument that says what was expected; never with the text itself, which may hold a
// key.
Result<Url> parse_url(std::string_view text);

// The same address with another path, percent-encoded as Url::path; "" if it cannot be.
std::string with_path(const std::string& address, const std::string& path);

// All but unreserved characters and slashes as %XX.
std::string encode_path(std::string_view path);
// The reverse; what is no %XX stays.
std::string decode_path(std::string_view path);

}  // namespace hf::pull
