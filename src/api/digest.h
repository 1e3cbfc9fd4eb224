#pragma once
// SHA-256, of keys and of what identifies a file. Pure, any thread.

#include <array>
#include <string>
#include <string_view>

namespace hf::api {

using Sha256 = std::array<unsigned char, 32>;

Sha256 sha256(std::string_view text);
// 64 lower-case hexadecimal digits.
std::string to_hex(const Sha256& digest);
std::string sha256_hex(std::string_view text);

}  // namespace hf::api
