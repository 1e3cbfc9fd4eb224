#pragma once
// Turns readings of the machine's memory use into a level with hysteresis, and says when a round of
// cleanup is pointless. Why rounds end: evicting a model whose weights are mapped from a file
// hardly moves the reading, and would throw out everybody for nothing. Pure, single thread.

#include <optional>

#include "core/limits.h"
#include "core/view.h"

namespace hf::core {

class Pressure {
 public:
  explicit Pressure(const Limits& limits)
      : high_(limits.high), low_(limits.low), critical_(limits.critical) {}
  // They count from the next reading on.
  void set_marks(const Limits& limits) {
    high_ = limits.high;
    low_ = limits.low;
    critical_ = limits.critical;
  }

  struct Step {
    bool entered_critical = false;
    bool entered_high = false;  // from normal
    bool left = false;          // back to normal
  };
  Step take(double used_percent);

  [[nodiscard]] PressureLevel level() const { return level_; }
  [[nodiscard]] double used_percent() const { return used_; }
  // A round is under way: one idle model may go now.
  [[nodiscard]] bool may_evict() const { return round_ && !awaiting_reading_; }
  // By hand: a round like the one the high mark starts. No-op below the low mark.
  void start_round();
  // An idle model was told to go because of pressure; nothing more until it is reaped and a reading
  // came.
  void evicted() {
    awaiting_reading_ = true;
    before_eviction_ = used_;
    reaped_ = false;
  }
  void reaped() { reaped_ = true; }

 private:
  double high_, low_, critical_;
  PressureLevel level_ = PressureLevel::Normal;
  double used_ = 0;
  bool awaiting_reading_ = false;
  bool reaped_ = false;
  double before_eviction_ = 0;
  bool round_ = false;   // evict idle models one at a time until below the low mark
  int fruitless_ = 0;    // evictions in a row that did not lower the reading
  double ended_at_ = 0;  // reading when the round ended
};

}  // namespace hf::core
