#include "core/pressure.h"

#include <algorithm>

#include "base/assert.h"

namespace hf::core {
namespace {

// A fall smaller than this (percentage points) is noise: on a 24 GiB box 0.05 are 12 MiB.
constexpr double kNoise = 0.05;
// An ended round starts afresh once the reading has climbed by this many points.
constexpr double kWorse = 1.0;

}  // namespace

Pressure::Step Pressure::take(double used_percent, bool stalled, TimePoint now) {
  const PressureLevel before = level();
  const PressureLevel marks_before = marks_;
  used_ = used_percent;
  stalled = stalled && !load_explains_stall(now);
  stalled_now_ = stalled;
  follow_marks();
  if (stalled) {
    if (!stalled_until_) {
      allowance_.begin(now);
    }
    stalled_until_ = now + kStallLasts;
  }
  Step step;
  step.entered_critical = level() == PressureLevel::Critical && before != PressureLevel::Critical;
  step.entered_high = level() == PressureLevel::High && before == PressureLevel::Normal;
  step.left = level() == PressureLevel::Normal && before != PressureLevel::Normal;
  if (step.left) {
    ended_at_ = 0;  // the next round owes nothing to this one
  }

  if (awaiting_reading_ && reaped_at_) {
    judge_eviction(now);
  }
  const bool rose = marks_ == PressureLevel::High && marks_before == PressureLevel::Normal;
  const bool worse = used_ > ended_at_ + kWorse;
  if (rose || (marks_ == PressureLevel::High && worse)) {
    begin(round_);
  }
  if (stalled && !stall_round_failed_) {
    begin(stall_round_);
  }
  round_ = round_ && used_ >= low_;
  stall_round_ = stall_round_ && stalled;
  return step;
}

Pressure::Step Pressure::end_stall(TimePoint now) {
  HF_ASSERT(stalled_until_.has_value(), "a stall ends once");
  const bool counted = stall_counts();
  if (counted) {
    allowance_.end(now);
  }
  stalled_until_.reset();
  stalled_now_ = false;
  stall_round_ = false;
  stall_round_failed_ = false;
  stall_given_up_ = false;
  Step step;
  step.left = counted && level() == PressureLevel::Normal;
  if (step.left) {
    ended_at_ = 0;
  }
  return step;
}

void Pressure::give_up_stall(TimePoint now) {
  HF_ASSERT(stall_counts(), "a stall is given up once");
  allowance_.end(now);
  stall_given_up_ = true;
}

void Pressure::follow_marks() {
  if (used_ >= critical_) {
    marks_ = PressureLevel::Critical;
  } else if (used_ >= high_) {
    marks_ = PressureLevel::High;
  } else if (used_ < low_) {
    marks_ = PressureLevel::Normal;
  } else if (marks_ == PressureLevel::Critical) {
    marks_ = PressureLevel::High;  // between the marks: no longer critical, not yet over
  }
}

// Whether the latest eviction helped: the percentage fell, or the stall went, which shows later.
void Pressure::judge_eviction(TimePoint now) {
  const bool by_stall = marks_ == PressureLevel::Normal && stalled_now_;
  if (by_stall && now < *reaped_at_ + kStallSettles) {
    return;
  }
  awaiting_reading_ = false;
  const bool fell = used_ < before_eviction_ - kNoise;
  // One that was given up comes and goes by itself.
  const bool flows_again = stalled_before_ && !stalled_now_ && !stall_given_up_;
  fruitless_ = fell || flows_again ? 0 : fruitless_ + 1;
  if (fruitless_ >= 2) {
    stall_round_failed_ =
        stall_round_failed_ || stall_round_ || (went_by_stall_ && stalled_until_.has_value());
    round_ = false;
    stall_round_ = false;
    ended_at_ = used_;
  }
}

void Pressure::begin(bool& round) {
  if (!round_ && !stall_round_ && !stall_given_up_) {
    fruitless_ = 0;
  }
  round = true;
}

void Pressure::start_round() {
  if (used_ >= low_) {
    begin(round_);
  }
  if (stalled_now_ && stall_counts()) {
    begin(stall_round_);
  }
}

}  // namespace hf::core
