#include "store/measurement.h"

#include <algorithm>
#include <cmath>

namespace hf::store {
namespace {

void keep_slowest(std::optional<double>& slowest, double rate) {
  if (std::isfinite(rate) && rate > 0) {
    slowest = std::min(slowest.value_or(rate), rate);
  }
}

}  // namespace

void add_load(Measurement& measurement, Duration took, bool was_cached) {
  std::optional<double>& average =
      was_cached ? measurement.load_seconds_cached : measurement.load_seconds_cold;
  const double seconds = std::max(0.0, seconds_of(took));
  average = average ? *average + kNewestLoadWeight * (seconds - *average) : seconds;
}

void add_high_water(Measurement& measurement, Bytes seen) {
  measurement.high_water = std::max(measurement.high_water, seen);
}

void add_decode_rate(Measurement& measurement, double tokens_per_second) {
  keep_slowest(measurement.slowest_decode, tokens_per_second);
}

void add_prefill_rate(Measurement& measurement, double tokens_per_second) {
  keep_slowest(measurement.slowest_prefill, tokens_per_second);
}

}  // namespace hf::store
