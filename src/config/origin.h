#pragma once
// Web origins as a browser sends them and as `cors_origins` names them. It exists so that the check
// of the file and the check of a request read them alike: a pattern that never matches, or matches
// more than it seems to, is found when the file is read. Pure, any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hf::config {

// "https://chat.example:8443"
struct Origin {
  std::string scheme;                 // lower case
  std::string host;                   // lower case, IPv6 without brackets
  std::optional<std::uint16_t> port;  // nullopt: the scheme's own

  bool operator==(const Origin&) const = default;
};

struct OriginPattern {
  bool any = false;  // "*"
  Origin origin;
  bool any_host = false;  // "vscode-webview://*": pages of an app, whose hosts have no fixed names
  bool any_port = false;  // "http://localhost:*"
};

// nullopt: it is none, as "null", which a browser sends where it keeps the origin to itself.
std::optional<Origin> parse_origin(std::string_view text);

// "*", "SCHEME://HOST[:PORT]", "SCHEME://HOST:*", and "SCHEME://*" for other schemes than http and
// https. Errors: InvalidArgument that says what is wrong, without what was expected.
Result<OriginPattern> parse_origin_pattern(std::string_view text);

bool matches(const OriginPattern& pattern, const Origin& origin);

}  // namespace hf::config
