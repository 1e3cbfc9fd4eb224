#include "engine/reload_time.h"

#include <algorithm>
#include <cmath>

namespace hf::engine {
namespace {

// Until a load was measured: the engine's own start, the disk of an ordinary server, and mapping
// pages that are there.
constexpr double kAssumedStartSeconds = 0.5;
constexpr double kAssumedDiskBytesPerSecond = 1e9;
constexpr double kAssumedCacheBytesPerSecond = 5e9;
constexpr double kCachedFrom = 0.9;
constexpr double kColdUpTo = 0.1;
// The value of keeping a model follows its reload; less than this does not change who goes.
constexpr double kOther = 0.1;

}  // namespace

LoadTimes load_times(const store::Measurement& measurement, Bytes file_size) {
  const auto bytes = static_cast<double>(file_size.count);
  LoadTimes times;
  times.cached = measurement.load_seconds_cached.value_or(kAssumedStartSeconds +
                                                          bytes / kAssumedCacheBytesPerSecond);
  times.cold = measurement.load_seconds_cold.value_or(kAssumedStartSeconds +
                                                      bytes / kAssumedDiskBytesPerSecond);
  // What was measured corrects what was assumed; of two measured ones the machine's load may have
  // made the cached one the slower.
  if (!measurement.load_seconds_cached) {
    times.cached = std::min(times.cached, times.cold);
  } else {
    times.cold = std::max(times.cached, times.cold);
  }
  return times;
}

Duration reload_time(const LoadTimes& times, double share) {
  const double part = std::clamp(share, 0.0, 1.0);
  return duration_of_seconds(part * times.cached + (1 - part) * times.cold);
}

void learn_load(store::Measurement& measurement, Bytes file_size, Duration took, double share) {
  if (share >= kCachedFrom || share <= kColdUpTo) {
    store::add_load(measurement, took, share >= kCachedFrom);
    return;
  }
  const LoadTimes times = load_times(measurement, file_size);
  const bool mostly_cached = share >= 0.5;
  const double part = mostly_cached ? share : 1 - share;
  const double other = mostly_cached ? times.cold : times.cached;
  const double whole = seconds_of(took);
  const double left = (whole - (1 - part) * other) / part;
  if (!mostly_cached) {
    store::add_computed_load(measurement, duration_of_seconds(std::max(left, whole)), false);
  } else if (left > 0) {
    store::add_computed_load(measurement, duration_of_seconds(left), true);
  }
}

bool is_other_reload(Duration told, Duration now) {
  return std::abs(seconds_of(now - told)) > kOther * seconds_of(told);
}

}  // namespace hf::engine
