#include "readers/memory_signals.h"

#include <algorithm>
#include <utility>

namespace hf::readers {
namespace {

// Shorter spans (a trigger's reading comes between two regular ones) make jumpy rates.
constexpr Duration kLeastSpan = std::chrono::milliseconds(900);

std::optional<double> rate(const std::optional<std::int64_t>& before,
                           const std::optional<std::int64_t>& after, Duration span) {
  if (!before || !after) {
    return std::nullopt;
  }
  // A counter that went back is another machine's file.
  return static_cast<double>(std::max<std::int64_t>(0, *after - *before)) / seconds_of(span);
}

}  // namespace

MemorySignals MemorySignalTracker::take(Snapshot snapshot) {
  // Two nested limits that are about as tight may change places at each reading.
  StallWatch& stall = stalls_[snapshot.pressure_from];
  if (snapshot.pressure) {
    stall.take(snapshot.at, snapshot.pressure->some.total);
  } else {
    stall.forget();
  }
  update_rates(snapshot);
  count_kills(snapshot);
  MemorySignals signals;
  signals.stalled = stall.stalled();
  signals.refaults_per_s = refaults_per_s_;
  signals.major_faults_per_s = major_faults_per_s_;
  signals.oom_kills = kills_;
  signals.snapshot = std::move(snapshot);
  return signals;
}

void MemorySignalTracker::update_rates(const Snapshot& snapshot) {
  if (!snapshot.vmstat) {
    rates_from_.reset();
    refaults_per_s_.reset();
    major_faults_per_s_.reset();
    return;
  }
  const Counters counters{snapshot.at, *snapshot.vmstat};
  if (!rates_from_) {
    rates_from_ = counters;
    return;
  }
  const Duration span = snapshot.at - rates_from_->at;
  if (span < kLeastSpan) {
    return;
  }
  refaults_per_s_ = rate(rates_from_->stat.refaults, counters.stat.refaults, span);
  major_faults_per_s_ = rate(rates_from_->stat.major_faults, counters.stat.major_faults, span);
  rates_from_ = counters;
}

void MemorySignalTracker::count_kills(const Snapshot& snapshot) {
  std::string from;
  std::optional<std::int64_t> now;
  if (snapshot.cgroup_events && snapshot.cgroup_events->oom_kills) {
    from = snapshot.cgroup_events->path;
    now = snapshot.cgroup_events->oom_kills;
  } else if (snapshot.vmstat) {
    now = snapshot.vmstat->oom_kills;
  }
  if (!now) {
    return;
  }
  const bool same_counter = last_kills_ && from == kills_read_from_;
  const std::int64_t more = same_counter ? std::max<std::int64_t>(0, *now - *last_kills_) : 0;
  kills_ = kills_.value_or(0) + more;
  last_kills_ = now;
  kills_read_from_ = std::move(from);
}

}  // namespace hf::readers
