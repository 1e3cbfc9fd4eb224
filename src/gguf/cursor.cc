#include "gguf/cursor.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace hf::gguf {
namespace {

// A vocabulary of 262,144 tokens takes about 4 MB: 16 reads. Larger buffers were not faster.
constexpr std::size_t kBufferBytes = 256 * 1024;

}  // namespace

Cursor::Cursor(ByteSource& source)
    : source_(source),
      buffer_(static_cast<std::size_t>(std::min<std::uint64_t>(kBufferBytes, source.size() + 8))) {}

std::uint64_t Cursor::take_little_endian(std::size_t width) {
  HF_ASSERT(width == 1 || width == 2 || width == 4 || width == 8, "not the width of a number");
  if (filled_ - next_ < width && !refill(width)) {
    return 0;
  }
  std::uint64_t value = 0;
  for (std::size_t i = width; i > 0; --i) {
    value = value << 8U | std::to_integer<std::uint64_t>(buffer_[next_ + i - 1]);
  }
  next_ += width;
  return value;
}

std::string Cursor::take_string(std::uint64_t length_max) {
  const std::uint64_t length = take_u64();
  if (failed_) {
    return {};
  }
  if (length > remaining()) {
    truncated();
    return {};
  }
  if (length > length_max) {
    fail_with(Errc::Corrupt, "a text of " + std::to_string(length) + " bytes where at most " +
                                 std::to_string(length_max) + " make sense");
    return {};
  }
  return take_bytes(length);
}

std::string Cursor::take_bytes(std::uint64_t length) {
  if (failed_ || length > remaining()) {
    truncated();
    return {};
  }
  std::string text;
  while (text.size() < length) {
    if (next_ == filled_ && !refill(1)) {
      return {};
    }
    const std::size_t count =
        std::min(static_cast<std::size_t>(length) - text.size(), filled_ - next_);
    const std::size_t old_size = text.size();
    text.resize(old_size + count);
    std::memcpy(text.data() + old_size, buffer_.data() + next_, count);
    next_ += count;
  }
  return text;
}

std::uint64_t Cursor::skip_string() {
  const std::uint64_t length = take_u64();
  skip(length);
  return failed_ ? 0 : length;
}

void Cursor::skip(std::uint64_t count) {
  if (failed_) {
    return;
  }
  if (count > remaining()) {
    truncated();
    return;
  }
  if (count <= filled_ - next_) {
    next_ += static_cast<std::size_t>(count);
    return;
  }
  window_start_ = position() + count;
  next_ = filled_ = 0;
}

void Cursor::fail_with(Errc code, std::string message) {
  if (!failed_) {
    failed_ = true;
    error_ = Error(code, std::move(message));
  }
}

void Cursor::truncated() {
  fail_with(Errc::Corrupt, "truncated");
}

bool Cursor::refill(std::size_t wanted) {
  if (failed_) {
    return false;
  }
  if (wanted > remaining()) {
    truncated();
    return false;
  }
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(next_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.begin());
  window_start_ += next_;
  filled_ -= next_;
  next_ = 0;
  while (filled_ < wanted) {
    const auto count =
        source_.read_at(window_start_ + filled_, std::span(buffer_).subspan(filled_));
    if (!count) {
      failed_ = true;
      error_ = count.error();
      return false;
    }
    if (*count == 0) {
      // The file has shrunk since its size was taken.
      truncated();
      return false;
    }
    filled_ += *count;
  }
  return true;
}

}  // namespace hf::gguf
