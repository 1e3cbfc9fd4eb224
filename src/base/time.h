#pragma once
// Monotonic time as the core sees it: a point is nanoseconds since an arbitrary start chosen by the
// owner (the server: its own start; the simulator: zero). There is no now() here on purpose: time
// is an argument, so that a test can be a week long. Wall clocks jump and decide nothing. Any
// thread.

#include <chrono>

namespace hf {

struct MonotonicClock {
  using rep = std::chrono::nanoseconds::rep;
  using period = std::chrono::nanoseconds::period;
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};

using Duration = MonotonicClock::duration;
using TimePoint = MonotonicClock::time_point;

constexpr double seconds_of(Duration d) {
  return std::chrono::duration<double>(d).count();
}
constexpr Duration duration_of_seconds(double s) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}
constexpr std::int64_t millis_of(Duration d) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

}  // namespace hf
