#pragma once
// How long stalls may still hold loads back. Why it exists: PSI is often of the whole machine, and
// a stranger who stalls again and again would hold loads back most of the time, a minute each. A
// bucket: it drains while a stall counts and fills again at a fifth of that speed while none does.
// So stalls count for a minute at a stretch, and for a sixth of the time in the long run. Pure,
// single thread.

#include <algorithm>

#include "base/time.h"

namespace hf::core {

// No stall counts for longer: one that nothing of ours ends is somebody else's.
constexpr Duration kLongestStall = std::chrono::seconds(60);
// Seconds without a stall for each second of one.
constexpr int kStallRefill = 5;

class StallAllowance {
 public:
  // A stall begins to count. Requires: none does.
  void begin(TimePoint now) {
    left_ = std::min(kLongestStall, left_ + (now - since_) / kStallRefill);
    since_ = now;
  }
  // It counts no longer. Requires: begin() came last.
  void end(TimePoint now) {
    left_ = std::max(Duration::zero(), left_ - (now - since_));
    since_ = now;
  }
  // Requires: begin() came last. When the stall has counted for as long as it may.
  [[nodiscard]] TimePoint until() const { return since_ + left_; }

 private:
  Duration left_ = kLongestStall;
  TimePoint since_{};
};

}  // namespace hf::core
