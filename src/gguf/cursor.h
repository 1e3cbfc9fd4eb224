#pragma once
// Cursor: reads little-endian numbers and strings from a ByteSource through one buffer, with an
// error that sticks: after the first failure every read returns zero and moves nothing, so a caller
// checks ok() once per step instead of once per byte. Never reads or skips beyond the size of the
// source. Exists so that bounds are checked in one place only. Not thread safe.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "gguf/byte_source.h"

namespace hf::gguf {

class Cursor {
 public:
  explicit Cursor(ByteSource& source);

  bool ok() const { return !failed_; }
  const Error& error() const { return error_; }
  std::uint64_t position() const { return window_start_ + next_; }
  // Bytes between here and the end of the source.
  std::uint64_t remaining() const { return source_.size() - position(); }

  std::uint8_t take_u8() { return static_cast<std::uint8_t>(take_little_endian(1)); }
  std::uint32_t take_u32() { return static_cast<std::uint32_t>(take_little_endian(4)); }
  std::uint64_t take_u64() { return take_little_endian(8); }
  // `width` of 1, 2, 4 or 8 bytes.
  std::uint64_t take_little_endian(std::size_t width);
  // A length (8 bytes), then that many bytes. Errors: Corrupt when longer than `length_max`.
  std::string take_string(std::uint64_t length_max);
  // A length, then that many bytes, not kept; may be as long as the rest of the file. Returns its
  // length.
  std::uint64_t skip_string();
  // So many bytes. Requires: the caller has bounded their number.
  std::string take_bytes(std::uint64_t length);
  void skip(std::uint64_t count);

  // Marks the source as bad; the first failure is the one that is kept.
  void fail_with(Errc code, std::string message);

 private:
  bool refill(std::size_t wanted);
  void truncated();

  ByteSource& source_;
  std::vector<std::byte> buffer_;
  std::uint64_t window_start_ = 0;  // offset in the source of buffer_[0]
  std::size_t next_ = 0;            // in the buffer
  std::size_t filled_ = 0;
  bool failed_ = false;
  Error error_{Errc::Internal, ""};
};

}  // namespace hf::gguf
