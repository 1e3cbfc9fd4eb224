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
std::string presentable(std::string_view text, std::size_t bytes_max = kPresentableBytes);

}  // namespace hf::api
