#include "engine/yielding_budget.h"

#include <algorithm>

#include "base/assert.h"

namespace hf::engine {
namespace {

// A child that starts or ends between two readings of one sample looks like a neighbour; the next
// sample shows that it was none.
constexpr std::size_t kAgreeToYield = 2;
// Who has just left often comes back: a compiler takes a gigabyte for each file. What was yielded
// costs a load at most, what is taken back too soon costs an eviction and a load.
constexpr std::size_t kAgreeToGrow = 5;
constexpr std::int64_t kNoiseShare = 32;
constexpr Bytes kLeastNoise = 64 * kMiB;

}  // namespace

readers::MachineMemory without(const readers::MachineMemory& machine, Bytes ours) {
  readers::MachineMemory rest = machine;
  rest.available = std::min(rest.total, rest.available + ours);
  if (rest.cgroup) {
    const Bytes page_cache = rest.cgroup->usage - rest.cgroup->working_set();
    rest.cgroup->usage = std::max(page_cache, rest.cgroup->usage - ours);
  }
  return rest;
}

void YieldingBudget::reset(Bytes full) {
  full_ = full;
  current_ = full;
  wanted_.clear();
}

bool YieldingBudget::raise(Bytes least) {
  const Bytes before = current_;
  current_ = std::max(current_, std::min(least, full_));
  return current_ != before;
}

bool YieldingBudget::take(Bytes computed, Bytes least) {
  HF_ASSERT(current_ <= full_, "it never grows above what was computed at the start");
  const Bytes floor = std::min(least, full_);
  wanted_.push_back(std::clamp(computed, floor, full_));
  if (wanted_.size() > kAgreeToGrow) {
    wanted_.pop_front();
  }
  const Bytes noise = std::max(kLeastNoise, Bytes(full_.count / kNoiseShare));
  const Bytes before = current_;
  if (wanted_.size() >= kAgreeToYield) {
    const Bytes agreed = *std::max_element(wanted_.end() - kAgreeToYield, wanted_.end());
    if (agreed + noise <= current_) {
      current_ = agreed;
    }
  }
  if (wanted_.size() == kAgreeToGrow) {
    const Bytes agreed = *std::min_element(wanted_.begin(), wanted_.end());
    if (full_ - agreed <= Bytes(noise.count / 2)) {
      current_ = full_;  // nobody uses again exactly what it did at the start
    } else if (agreed >= current_ + noise) {
      current_ = agreed;
    }
  }
  current_ = std::max(current_, floor);
  return current_ != before;
}

}  // namespace hf::engine
