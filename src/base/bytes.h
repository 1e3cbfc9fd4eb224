#pragma once
// Bytes: a count of bytes as a type of its own, so that a size is never added to a duration or a
// count. Signed, because differences (free = budget - reserved) may be negative. Value type, any
// thread.

#include <compare>
#include <cstdint>

namespace hf {

struct Bytes {
  std::int64_t count = 0;

  constexpr Bytes() = default;
  constexpr explicit Bytes(std::int64_t n) : count(n) {}

  constexpr auto operator<=>(const Bytes&) const = default;
  constexpr Bytes& operator+=(Bytes other) {
    count += other.count;
    return *this;
  }
  constexpr Bytes& operator-=(Bytes other) {
    count -= other.count;
    return *this;
  }
  friend constexpr Bytes operator+(Bytes a, Bytes b) { return Bytes(a.count + b.count); }
  friend constexpr Bytes operator-(Bytes a, Bytes b) { return Bytes(a.count - b.count); }
};

constexpr Bytes kKiB{1024};
constexpr Bytes kMiB{1024 * 1024};
constexpr Bytes kGiB{1024 * 1024 * 1024};
constexpr Bytes operator*(std::int64_t n, Bytes unit) {
  return Bytes(n * unit.count);
}

}  // namespace hf
