#pragma once
// Whether tasks have stood still for want of memory for long enough to act: from the `total=` of
// /proc/pressure/memory, read now and then. Why two windows in a row: one alone is a start of a
// program or a large copy, and an idle model that was thrown out for it would be loaded again. Why
// it counts itself although the kernel can (pressure_trigger.h): that one reports a single burst
// twice, and is not there everywhere. Pure; one owner.

#include <optional>

#include "base/time.h"

namespace hf::readers {

class StallWatch {
 public:
  // `total`: time at which any task stood still, since boot. Readings may come at any time, the
  // oftener the sharper: every window begins with a reading. `now` never goes back.
  void take(TimePoint now, Duration total);
  // Nothing could be read: what was seen before says nothing about now.
  void forget() { *this = StallWatch(); }

  // In each of the two latest windows of 2 s (kStallWindow), the one under way included, it was 150
  // ms (kStallThreshold) or more.
  [[nodiscard]] bool stalled() const;

 private:
  struct Sample {
    TimePoint at;
    Duration total{};
  };

  std::optional<Sample> last_;
  std::optional<Sample> window_;  // where it began; nullopt: all is quiet
  bool reached_ = false;          // the window under way has its share already
  int full_ = 0;                  // windows in a row before it that had theirs, at most 2
};

}  // namespace hf::readers
