#include "net/request_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

namespace hf::net {
namespace {

// Browsers behind several proxies send some forty.
constexpr std::ptrdiff_t kFieldsMax = 128;
constexpr std::ptrdiff_t kConnectionNamesMax = 32;

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Digits only: "+5", "5, 5", "0x5" and an empty value are all refused.
std::optional<std::uint64_t> parse_length(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  if (text.empty() || text.front() < '0' || text.front() > '9') {
    return std::nullopt;
  }
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) {
    return std::nullopt;
  }
  return value;
}

struct LengthFields {
  int lengths = 0;
  int encodings = 0;
  int hosts = 0;
  std::string_view length;
  std::string_view encoding;
};

LengthFields collect(const std::vector<Header>& headers) {
  LengthFields found;
  for (const Header& each : headers) {
    if (header_equals(each.name, "content-length")) {
      ++found.lengths;
      found.length = each.value;
    } else if (header_equals(each.name, "transfer-encoding")) {
      ++found.encodings;
      found.encoding = each.value;
    } else if (header_equals(each.name, "host")) {
      ++found.hosts;
    }
  }
  return found;
}

// Empty: fine. Fills head.content_length and the body part of framing.
std::string_view decode_framing(RequestHead& head, Framing& framing) {
  const LengthFields found = collect(head.headers);
  if (found.hosts > 1 || (found.hosts == 0 && !framing.http10)) {
    return "exactly one Host header is needed";
  }
  if (found.lengths > 1 || found.encodings > 1) {
    return "the length of the body is given twice";
  }
  if (found.lengths == 1 && found.encodings == 1) {
    return "both Content-Length and Transfer-Encoding";
  }
  if (found.encodings == 1) {
    if (framing.http10 || !header_equals(found.encoding, "chunked")) {
      return "a Transfer-Encoding other than chunked";
    }
    framing.chunked = true;
    return {};
  }
  if (found.lengths == 1) {
    head.content_length = parse_length(found.length);
    if (!head.content_length) {
      return "a bad Content-Length";
    }
    framing.length = *head.content_length;
  }
  return {};
}

bool connection_says(const std::vector<Header>& headers, std::string_view token) {
  for (const Header& each : headers) {
    if (header_equals(each.name, "connection") &&
        http::token_list{each.value}.exists({token.data(), token.size()})) {
      return true;
    }
  }
  return false;
}

// A proxy's absolute form (RFC 9112 §3.2.2) names us in front of the path; the rest is what counts.
std::string_view strip_authority(std::string_view target) {
  constexpr std::array<std::string_view, 2> kSchemes{"http://", "https://"};
  const auto* const scheme =
      std::find_if(kSchemes.begin(), kSchemes.end(), [target](std::string_view each) {
        return header_equals(target.substr(0, each.size()), each);
      });
  if (scheme == kSchemes.end()) {
    return target;
  }
  const auto slash = target.find_first_of("/?", scheme->size());
  return slash == std::string_view::npos || target[slash] == '?' ? "/" : target.substr(slash);
}

// Empty: fine. Fills target, path and query.
std::string_view decode_target(RequestHead& head, std::string_view target) {
  target = strip_authority(target);
  if (target.empty() || (target.front() != '/' && target != "*")) {
    return "a bad request target: ask for a path that begins with /, such as /v1/models";
  }
  head.target = target;
  const auto mark = target.find('?');
  std::optional<std::string> path = percent_decode(target.substr(0, mark));
  if (!path) {
    return "a bad request target: write % as %25, and nothing as %00";
  }
  head.path = std::move(*path);
  if (mark != std::string_view::npos) {
    head.query = target.substr(mark + 1);
  }
  return {};
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    if (text.size() - i < 3) {
      return std::nullopt;
    }
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) {
      return std::nullopt;
    }
    decoded.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return decoded;
}

bool wants_upgrade(const RequestHead& head) {
  const std::string_view protocol = head.header("upgrade");
  return head.method == "GET" && head.content_length.value_or(0) == 0 &&
         head.header("transfer-encoding").empty() && !protocol.empty() &&
         !http::token_list{protocol}.exists("h2c") && connection_says(head.headers, "upgrade");
}

std::string_view too_many_fields(const http::fields& fields) {
  if (std::distance(fields.begin(), fields.end()) > kFieldsMax) {
    return "it has more than 128 headers: send fewer";
  }
  std::ptrdiff_t names = 0;
  const auto [first, last] = fields.equal_range(http::field::connection);
  for (auto each = first; each != last; ++each) {
    const http::token_list list{each->value()};
    names += std::distance(list.begin(), list.end());
  }
  return names > kConnectionNamesMax ? "Connection names more than 32 headers: name fewer"
                                     : std::string_view();
}

tl::expected<DecodedHead, std::string_view> decode_head(const http::request_header<>& raw) {
  DecodedHead decoded;
  decoded.head.method = view(raw.method_string());
  if (const std::string_view why = too_many_fields(raw); !why.empty()) {
    return tl::unexpected<std::string_view>(why);
  }
  if (const std::string_view why = decode_target(decoded.head, view(raw.target())); !why.empty()) {
    return tl::unexpected<std::string_view>(why);
  }
  for (const auto& field : raw) {
    Header header;
    header.name = view(field.name_string());
    header.value = view(field.value());
    decoded.head.headers.push_back(std::move(header));
  }
  decoded.framing.http10 = raw.version() < 11;
  if (const std::string_view why = decode_framing(decoded.head, decoded.framing); !why.empty()) {
    return tl::unexpected<std::string_view>(why);
  }
  const bool close = connection_says(decoded.head.headers, "close");
  // A client or a proxy that takes its wish for granted sends bytes that are no request.
  decoded.framing.keep_alive =
      !close && !wants_upgrade(decoded.head) &&
      (!decoded.framing.http10 || connection_says(decoded.head.headers, "keep-alive"));
  decoded.framing.expects_continue =
      !decoded.framing.http10 && header_equals(decoded.head.header("expect"), "100-continue");
  return decoded;
}

}  // namespace hf::net
