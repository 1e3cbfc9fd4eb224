#include "api/digest.h"

#include <openssl/evp.h>

#include "base/assert.h"

namespace hf::api {

Sha256 sha256(std::string_view text) {
  Sha256 digest{};
  unsigned int size = 0;
  const int good =
      EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  // Without it no key could be told from another.
  HF_ASSERT(good == 1 && size == digest.size(), "SHA-256 is there");
  return digest;
}

std::string to_hex(const Sha256& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 15U];
  }
  return hex;
}

std::string sha256_hex(std::string_view text) {
  return to_hex(sha256(text));
}

}  // namespace hf::api
