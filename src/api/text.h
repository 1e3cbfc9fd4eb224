#pragma once
// Small pieces of text that come from clients and go back to them or into headers. Pure, any
// thread.

#include <cstddef>
#include <string>
#include <string_view>

namespace hf::api {

// Longest piece of a client's text that is repeated in an answer.
inline constexpr std::size_t kPresentableBytes = 200;

// The text as valid UTF-8 of bounded length: bytes that are none, and control characters, become
// '?'.
std::string presentable(std::string_view text);

// 1 to 128 characters of A-Z a-z 0-9 . _ -
bool is_sane_request_id(std::string_view id);

// A new request id: 16 hexadecimal digits, unguessable enough not to collide. Thread-local
// generator.
std::string new_request_id();

}  // namespace hf::api
