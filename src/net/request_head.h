#pragma once
// From a parsed header block to a RequestHead plus the framing of its body. Refuses every way of
// saying the body's length that two readers could understand differently. Pure apart from Beast's
// field container.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "net/asio.h"
#include "net/exchange.h"

namespace hf::net {

struct Framing {
  bool chunked = false;
  std::uint64_t length = 0;  // body bytes, 0 when chunked
  bool http10 = false;
  bool keep_alive = false;
  bool expects_continue = false;

  [[nodiscard]] bool has_body() const { return chunked || length > 0; }
};

struct DecodedHead {
  RequestHead head;
  Framing framing;
};

// More header fields, or more names in Connection, than anything honest has: what they are compared
// with grows with both. "": no. Otherwise says so, a literal.
std::string_view too_many_fields(const http::fields& fields);

// Error: what was wrong, a literal, for the client.
tl::expected<DecodedHead, std::string_view> decode_head(const http::request_header<>& raw);

// "%2F" → "/". nullopt: a bad escape, or one that hides a NUL.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace hf::net
