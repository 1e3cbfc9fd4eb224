#include "api/api_key.h"

#include <openssl/crypto.h>
#include <sys/random.h>

#include <cerrno>
#include <cstring>

namespace hf::api {
namespace {

constexpr std::string_view kPrefix = "holdfast_";
constexpr std::string_view kHexDigits = "0123456789abcdef";
// RFC 4648 §5: safe in headers, shells and files.
constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Without padding.
std::string base64url(const KeyHash& bytes) {
  std::string text;
  unsigned int buffer = 0;
  unsigned int bits = 0;
  for (const unsigned char byte : bytes) {
    buffer = (buffer << 8U | byte) & 0xFFFFU;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text += kLetters[buffer >> bits & 63U];
    }
  }
  if (bits > 0) {
    text += kLetters[buffer << (6 - bits) & 63U];
  }
  return text;
}

}  // namespace

Result<std::string> new_api_key() {
  KeyHash random{};
  std::size_t filled = 0;
  while (filled < random.size()) {
    const ssize_t got = ::getrandom(random.data() + filled, random.size() - filled, 0);
    if (got < 0 && errno != EINTR) {
      return fail(Errc::Unavailable,
                  "no random bytes for a key: " + std::string(std::strerror(errno)), errno);
    }
    filled += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  return std::string(kPrefix) + base64url(random);
}

KeyHash hash_of_key(std::string_view key) {
  return sha256(key);
}

std::optional<KeyHash> key_hash_from_hex(std::string_view hex) {
  KeyHash hash{};
  if (hex.size() != 2 * hash.size()) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const std::size_t high = kHexDigits.find(hex[2 * i]);
    const std::size_t low = kHexDigits.find(hex[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) {
      return std::nullopt;
    }
    hash[i] = static_cast<unsigned char>(high << 4U | low);
  }
  return hash;
}

bool same_hash(const KeyHash& a, const KeyHash& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace hf::api
