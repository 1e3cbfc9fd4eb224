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

}  // namespace hf::store
