#include "engine/wall_clock_watch.h"

#include <chrono>
#include <cstdlib>

namespace hf::engine {
namespace {

constexpr std::chrono::hours kEvenFor{1};
// A clock that is brought into step gains or loses less (adjtime: 1.8 s an hour).
constexpr std::int64_t kJumpMs = 60'000;

}  // namespace

std::int64_t wall_clock_ms() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

bool WallClockWatch::is_believed(TimePoint now, std::int64_t wall_ms) {
  if (even_) {
    const std::int64_t expected = even_->wall_ms + millis_of(now - even_->since);
    if (std::abs(wall_ms - expected) < kJumpMs) {
      return now - even_->since >= kEvenFor;
    }
  }
  even_ = Even{now, wall_ms};
  return false;
}

}  // namespace hf::engine
