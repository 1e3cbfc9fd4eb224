#pragma once
// Sums and products of sizes that end at a limit instead of wrapping around: what a file states may
// be absurd, and a cost of "too much" is a fine answer. Pure; any thread.

#include <algorithm>
#include <cstdint>

#include "base/bytes.h"

namespace hf::gguf {

// Every part of a cost ends here, so that sums of parts cannot overflow; no machine comes near it.
constexpr std::uint64_t kPartMax = std::uint64_t{1} << 55U;

inline std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  return std::min(std::min(a, kPartMax) + std::min(b, kPartMax), kPartMax);
}
template <class... More>
std::uint64_t plus(std::uint64_t a, std::uint64_t b, More... more) {
  return plus(plus(a, b), more...);
}
inline std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? kPartMax : std::min(product, kPartMax);
}
template <class... More>
std::uint64_t times(std::uint64_t a, std::uint64_t b, More... more) {
  return times(times(a, b), more...);
}

inline Bytes to_bytes(std::uint64_t count) {
  return Bytes(static_cast<std::int64_t>(std::min(count, kPartMax)));
}
inline std::uint64_t count_of(Bytes bytes) {
  return static_cast<std::uint64_t>(bytes.count);
}

}  // namespace hf::gguf
