#pragma once
// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. Why it is
// asked: names of files and pieces of requests are any bytes, and JSON must not carry those. Pure,
// any thread.

#include <cstddef>
#include <string>
#include <string_view>

namespace hf {

// Bytes of the character at the start of `text`; 0: there is no well-formed one (or no text).
std::size_t utf8_length(std::string_view text);

// Well-formed to its end, and without control characters (C0, DEL, C1): a terminal obeys them.
bool is_printable(std::string_view text);
// The text with U+FFFD in the place of each byte that is no part of a character.
std::string valid_utf8(std::string text);

}  // namespace hf
