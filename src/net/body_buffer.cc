#include "net/body_buffer.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace hf::net {
namespace {

constexpr std::size_t kFirstStep = 16 * 1024;  // most chat requests fit
constexpr std::size_t kLargestStep =
    1024 * 1024;  // what a liar can make us reserve beyond what he sent

}  // namespace

bool BodyBuffer::reserve(std::size_t capacity) {
  if (!share_.grow_to(capacity)) {
    over_budget_ = true;
    return false;
  }
  auto* const grown = static_cast<char*>(std::realloc(data_.get(), capacity + kBodyPadding));
  if (grown == nullptr) {
    return false;
  }
  static_cast<void>(data_.release());  // realloc has taken it over
  data_.reset(grown);
  capacity_ = capacity;
  return true;
}

std::span<char> BodyBuffer::room() {
  if (size_ == capacity_ && !reserve(capacity_ + std::clamp(capacity_, kFirstStep, kLargestStep))) {
    return {};
  }
  return {data_.get() + size_, capacity_ - size_};
}

void BodyBuffer::commit(std::size_t count) {
  HF_ASSERT(count <= capacity_ - size_, "more bytes than there was room for");
  size_ += count;
}

bool BodyBuffer::finish() {
  if (data_ == nullptr && !reserve(0)) {
    return false;
  }
  std::memset(data_.get() + size_, 0, kBodyPadding);
  return true;
}

}  // namespace hf::net
