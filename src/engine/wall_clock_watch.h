#pragma once
// Whether the wall clock can be believed: it has run as evenly as the monotonic clock for an hour.
// Exists because what is older than the history's period is deleted by the wall clock, and a clock
// that is set a year ahead for a moment (before the machine has asked a time server, say) must not
// delete everything. Value type, one thread.

#include <cstdint>
#include <optional>

#include "base/time.h"

namespace hf::engine {

// Milliseconds since 1970: for what outlives the process, never for a decision.
std::int64_t wall_clock_ms();

class WallClockWatch {
 public:
  // `wall_ms`: milliseconds since 1970, read at `now`. False at the first call, and for an hour
  // after each jump that is seen. A machine that was suspended has jumped, too.
  bool is_believed(TimePoint now, std::int64_t wall_ms);

 private:
  struct Even {
    TimePoint since;
    std::int64_t wall_ms = 0;  // at `since`
  };
  std::optional<Even> even_;
};

}  // namespace hf::engine
