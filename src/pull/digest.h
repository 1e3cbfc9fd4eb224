#pragma once
// SHA-256 of bytes that come one after the other. One thread.

#include <memory>
#include <string>
#include <string_view>

namespace hf::pull {

class Digest {
 public:
  Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;
  ~Digest();

  void add(std::string_view bytes);
  // 64 hexadecimal digits in lower case. Order: once, at the end; then begin anew with reset().
  std::string finish();
  void reset();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hf::pull
