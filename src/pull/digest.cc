#include "pull/digest.h"

#include <openssl/evp.h>

#include <array>

#include "base/assert.h"

namespace hf::pull {

class Digest::Impl {
 public:
  Impl() : context_(EVP_MD_CTX_new()) {
    HF_ASSERT(context_ != nullptr, "no memory for a checksum");
    reset();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { EVP_MD_CTX_free(context_); }

  void reset() {
    HF_ASSERT(EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1, "SHA-256 is always there");
  }
  void add(std::string_view bytes) {
    HF_ASSERT(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1, "it only computes");
  }
  std::string finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    HF_ASSERT(EVP_DigestFinal_ex(context_, digest.data(), &size) == 1, "it only computes");
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string text;
    for (unsigned int i = 0; i < size; ++i) {
      text += kHex[digest[i] >> 4U];
      text += kHex[digest[i] & 0xFU];
    }
    return text;
  }

 private:
  EVP_MD_CTX* context_;
};

Digest::Digest() : impl_(std::make_unique<Impl>()) {}
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;
Digest::~Digest() = default;

void Digest::add(std::string_view bytes) {
  impl_->add(bytes);
}
std::string Digest::finish() {
  return impl_->finish();
}
void Digest::reset() {
  impl_->reset();
}

}  // namespace hf::pull
