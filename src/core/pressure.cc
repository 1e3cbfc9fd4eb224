#include "core/pressure.h"

namespace hf::core {
namespace {

// A fall smaller than this (percentage points) is noise: on a 24 GiB box 0.05 are 12 MiB.
constexpr double kNoise = 0.05;
// An ended round starts afresh once the reading has climbed by this many points.
constexpr double kWorse = 1.0;

}  // namespace

Pressure::Step Pressure::take(double used_percent) {
  Step step;
  used_ = used_percent;
  const PressureLevel before = level_;
  if (used_ >= critical_) {
    level_ = PressureLevel::Critical;
  } else if (used_ >= high_) {
    level_ = PressureLevel::High;
  } else if (used_ < low_) {
    level_ = PressureLevel::Normal;
  } else if (level_ == PressureLevel::Critical) {
    level_ = PressureLevel::High;  // between the marks: no longer critical, not yet over
  }
  step.entered_critical = level_ == PressureLevel::Critical && before != PressureLevel::Critical;
  step.entered_high = level_ == PressureLevel::High && before == PressureLevel::Normal;
  step.left = level_ == PressureLevel::Normal && before != PressureLevel::Normal;

  if (awaiting_reading_ && reaped_) {
    awaiting_reading_ = false;
    fruitless_ = used_ < before_eviction_ - kNoise ? 0 : fruitless_ + 1;
    if (fruitless_ >= 2) {
      round_ = false;
      ended_at_ = used_;
    }
  }
  const bool worse = level_ == PressureLevel::High && !round_ && used_ > ended_at_ + kWorse;
  if (step.entered_high || worse) {
    start_round();
  }
  if (used_ < low_) {
    round_ = false;
  }
  return step;
}

void Pressure::start_round() {
  if (used_ >= low_ && !round_) {
    round_ = true;
    fruitless_ = 0;
  }
}

}  // namespace hf::core
