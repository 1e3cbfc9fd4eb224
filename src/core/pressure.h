#pragma once
// Turns readings of the machine's memory into a level with hysteresis, and says when a round of
// cleanup is pointless. Two signals: how much of the memory is in use, against marks; and whether
// tasks stood still for want of memory (PSI), which is pressure whatever the percentage says. Why
// rounds end: evicting a model whose weights are mapped from a file hardly moves the reading, and
// would throw out everybody for nothing. Pure, single thread.

#include <algorithm>
#include <optional>

#include "base/time.h"
#include "core/limits.h"
#include "core/stall_allowance.h"
#include "core/view.h"

namespace hf::core {

// A stall counts so long after the latest reading that told of one, within its allowance: what was
// evicted needs a while to help, and what would be loaded at once brings the stall back.
constexpr Duration kStallLasts = std::chrono::seconds(30);
// A stall is told of for so long after what caused it has gone (two windows of 2 s of the readers,
// and a reading): only then can be said that an eviction did not end it.
constexpr Duration kStallSettles = std::chrono::seconds(5);

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
  // `stalled`: tasks stood still for want of memory. While a model loads, and until the readers can
  // know of its end, that is taken to be the load's own: it reads a file of the size of what it
  // takes, and below a limit the kernel makes room for the pages. No model has to go for it.
  Step take(double used_percent, bool stalled, TimePoint now);
  // When the stall is over unless another reading tells of one; nullopt: there is none.
  [[nodiscard]] std::optional<TimePoint> stalled_until() const { return stalled_until_; }
  // Requires: stalled_until() has come. From now on the marks alone decide.
  Step end_stall(TimePoint now);

  // There is a stall, and it has not been given up.
  [[nodiscard]] bool stall_counts() const { return stalled_until_ && !stall_given_up_; }
  // Requires: stall_counts(). When it has lasted for too long.
  [[nodiscard]] TimePoint longest_stall_until() const { return allowance_.until(); }
  // Its round was fruitless: no model goes for it any more.
  [[nodiscard]] bool stall_round_failed() const { return stall_round_failed_; }
  // Requires: stall_counts(). Until end_stall() it is no pressure any more; idle models go for it
  // as before, unless that was fruitless.
  void give_up_stall(TimePoint now);

  [[nodiscard]] PressureLevel level() const {
    return stall_counts() ? std::max(marks_, PressureLevel::High) : marks_;
  }
  // The level rests on the stall: by the marks it would be normal.
  [[nodiscard]] bool by_stall() const { return stall_counts() && marks_ == PressureLevel::Normal; }
  // What goes now goes because of the stall, not because of the percentage.
  [[nodiscard]] bool evicts_by_stall() const {
    return stall_round_ && marks_ == PressureLevel::Normal;
  }
  [[nodiscard]] double used_percent() const { return used_; }
  // A round is under way: one idle model may go now.
  [[nodiscard]] bool may_evict() const { return (round_ || stall_round_) && !awaiting_reading_; }
  // Above the marks, or the latest reading told of a stall that counts; what is left of a stall
  // only waits.
  [[nodiscard]] bool presses() const {
    return marks_ != PressureLevel::Normal || (stalled_now_ && stall_counts());
  }
  // By hand: a round like the one the high mark or a stall starts. No-op below the low mark without
  // a stall that counts.
  void start_round();
  // An idle model was told to go because of pressure; nothing more until it is reaped and readings
  // have shown whether that helped.
  void evicted() {
    awaiting_reading_ = true;
    before_eviction_ = used_;
    stalled_before_ = stalled_now_;
    went_by_stall_ = evicts_by_stall();
    reaped_at_.reset();
  }
  void reaped(TimePoint now) { reaped_at_ = now; }
  void load_began() { ++loads_; }
  void load_ended(TimePoint now) {
    --loads_;
    load_end_ = now;
  }

  // Requires: no stall counts.
  void forget_stalls_for_test() { allowance_ = StallAllowance{}; }

 private:
  void follow_marks();
  void judge_eviction(TimePoint now);
  void begin(bool& round);

  [[nodiscard]] bool load_explains_stall(TimePoint now) const {
    return loads_ > 0 || (load_end_ && now < *load_end_ + kStallSettles);
  }

  double high_, low_, critical_;
  PressureLevel marks_ = PressureLevel::Normal;  // by the percentage alone
  double used_ = 0;
  bool stalled_now_ = false;  // the latest reading, and no load explains it
  int loads_ = 0;             // under way
  std::optional<TimePoint> load_end_;
  std::optional<TimePoint> stalled_until_;
  StallAllowance allowance_;
  bool awaiting_reading_ = false;
  std::optional<TimePoint> reaped_at_;
  double before_eviction_ = 0;
  bool stalled_before_ = false;  // at that eviction
  bool went_by_stall_ = false;   // it was because of the stall
  bool round_ = false;           // evict idle models one at a time until below the low mark
  bool stall_round_ = false;     // … while readings tell of a stall
  bool stall_round_failed_ = false;
  bool stall_given_up_ = false;
  int fruitless_ = 0;    // evictions in a row that did not help
  double ended_at_ = 0;  // reading when the round ended
};

}  // namespace hf::core
