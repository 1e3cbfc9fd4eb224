#include "store/measurement.h"

#include <algorithm>

namespace hf::store {

void add_load(Measurement& measurement, Duration took, bool was_cached) {
  std::optional<double>& average =
      was_cached ? measurement.load_seconds_cached : measurement.load_seconds_cold;
  const double seconds = std::max(0.0, seconds_of(took));
  average = average ? *average + kNewestLoadWeight * (seconds - *average) : seconds;
}

void add_high_water(Measurement& measurement, Bytes seen) {
  measurement.high_water = std::max(measurement.high_water, seen);
}

Bytes reservation(const Measurement& measurement, Bytes predicted) {
  if (!measurement.fully_exercised) {
    return std::max(predicted, measurement.high_water);
  }
  const std::int64_t seen = measurement.high_water.count;
  return Bytes(seen + seen / 100 * kMeasuredMarginPercent);
}

}  // namespace hf::store
