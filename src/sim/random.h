#pragma once
// The simulator's own random numbers: xoshiro256** (Blackman, Vigna: "Scrambled linear
// pseudorandom number generators", 2021), seeded through splitmix64. Why not <random>: its
// distributions differ between standard libraries, and a seed must mean the same run everywhere for
// ever. Value type, single thread.

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace hf::sim {

class Random {
 public:
  // Streams of one seed are independent: what clients draw does not change what faults draw.
  Random(std::uint64_t seed, std::uint64_t stream) {
    std::uint64_t x = seed ^ (stream * 0xD1342543DE82EF95ULL);
    for (std::uint64_t& word : state_) {
      word = splitmix(x);
    }
  }

  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17U;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // [0, 1)
  double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
  bool chance(double probability) { return unit() < probability; }
  // [0, count), count >= 1. The bias of the modulus is below 2^-50 for our counts.
  std::uint64_t below(std::uint64_t count) { return next() % count; }
  // [low, high], both included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  double real(double low, double high) { return low + (high - low) * unit(); }
  Duration duration(Duration low, Duration high) {
    return Duration(between(low.count(), high.count()));
  }
  Duration exponential(Duration mean) {
    return duration_of_seconds(-std::log(1.0 - unit()) * seconds_of(mean));
  }
  // Index drawn in proportion to the weights; requires one above zero.
  template <class Weights>
  std::size_t weighted(const Weights& weights) {
    double sum = 0;
    for (const double w : weights) {
      sum += w;
    }
    double left = unit() * sum;
    std::size_t last = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] > 0) {
        last = i;
        left -= weights[i];
        if (left < 0) {
          break;
        }
      }
    }
    return last;
  }

 private:
  static std::uint64_t splitmix(std::uint64_t& x) {
    x += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = x;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }

  std::array<std::uint64_t, 4> state_{};
};

}  // namespace hf::sim
