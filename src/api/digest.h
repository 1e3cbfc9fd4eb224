#pragma once
// SHA-256, of keys and of what identifies a file. Pure, any thread.

#include <string>
#include <string_view>

namespace hf::api {

// 64 hexadecimal digits; empty if the library fails.
std::string sha256_hex(std::string_view text);

}  // namespace hf::api
