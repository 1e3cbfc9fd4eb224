#pragma once
// Footprint: bytes per memory domain (host RAM first, then each GPU). Why it exists: a model that
// is split over RAM and a card fits only if it fits in *each* domain; one sum would admit what the
// card cannot hold. Value type, any thread.

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/bytes.h"

namespace hf::core {

constexpr std::size_t kDomains = 9;  // host RAM and up to eight GPUs: more than any box we know of
constexpr std::size_t kHostRam = 0;

struct Footprint {
  std::array<Bytes, kDomains> in{};

  static constexpr Footprint host(Bytes bytes) {
    Footprint f;
    f.in[kHostRam] = bytes;
    return f;
  }
  constexpr bool operator==(const Footprint&) const = default;

  constexpr Footprint& operator+=(const Footprint& other) {
    for (std::size_t d = 0; d < kDomains; ++d) {
      in[d] += other.in[d];
    }
    return *this;
  }
  constexpr Footprint& operator-=(const Footprint& other) {
    for (std::size_t d = 0; d < kDomains; ++d) {
      in[d] -= other.in[d];
    }
    return *this;
  }
  friend constexpr Footprint operator+(Footprint a, const Footprint& b) { return a += b; }
  friend constexpr Footprint operator-(Footprint a, const Footprint& b) { return a -= b; }

  // Every domain of this is at most that of `other`. A domain that is not used at all always fits,
  // so that a GPU in debt does not stop a model that lives in RAM.
  [[nodiscard]] constexpr bool fits_in(const Footprint& other) const {
    for (std::size_t d = 0; d < kDomains; ++d) {
      if (in[d].count > 0 && in[d] > other.in[d]) {
        return false;
      }
    }
    return true;
  }
  // What is missing in each domain when this is wanted and `available` is there; zero where it
  // suffices.
  [[nodiscard]] constexpr Footprint missing_from(const Footprint& available) const {
    Footprint missing;
    for (std::size_t d = 0; d < kDomains; ++d) {
      if (in[d].count > 0) {
        missing.in[d] = std::max(Bytes(0), in[d] - available.in[d]);
      }
    }
    return missing;
  }
  [[nodiscard]] constexpr bool empty() const {
    return std::all_of(in.begin(), in.end(), [](Bytes b) { return b.count <= 0; });
  }
  // Any domain in which both hold something: taking `other` away would help.
  [[nodiscard]] constexpr bool overlaps(const Footprint& other) const {
    for (std::size_t d = 0; d < kDomains; ++d) {
      if (in[d].count > 0 && other.in[d].count > 0) {
        return true;
      }
    }
    return false;
  }
  [[nodiscard]] constexpr Bytes total() const {
    Bytes sum;
    for (const Bytes b : in) {
      sum += b;
    }
    return sum;
  }
  // Per domain the larger of the two.
  [[nodiscard]] friend constexpr Footprint max_of(const Footprint& a, const Footprint& b) {
    Footprint result;
    for (std::size_t d = 0; d < kDomains; ++d) {
      result.in[d] = std::max(a.in[d], b.in[d]);
    }
    return result;
  }
};

// The domain in which least is left (or most is missing) when `need` is wanted and `available` is
// there; of equals the first, and host RAM if nothing is wanted.
[[nodiscard]] constexpr std::size_t tightest(const Footprint& need, const Footprint& available) {
  std::size_t worst = kHostRam;
  bool found = false;
  for (std::size_t d = 0; d < kDomains; ++d) {
    const bool tighter = available.in[d] - need.in[d] < available.in[worst] - need.in[worst];
    if (need.in[d].count > 0 && (!found || tighter)) {
      worst = d;
      found = true;
    }
  }
  return worst;
}

}  // namespace hf::core
