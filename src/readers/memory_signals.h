#pragma once
// What follows from snapshots one after another: rates, kills since the start, and whether tasks
// have stood still for too long. Pure; one owner.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/time.h"
#include "readers/snapshot.h"
#include "readers/stall_watch.h"

namespace hf::readers {

struct MemorySignals {
  Snapshot snapshot;
  bool stalled = false;                  // in each of the two latest windows of 2 s
  std::optional<double> refaults_per_s;  // pages of files that were read again
  std::optional<double> major_faults_per_s;
  // Since the first snapshot: in the tightest cgroup if there is a limit, else on the machine.
  std::optional<std::int64_t> oom_kills;
};

class MemorySignalTracker {
 public:
  // Their times never go back.
  MemorySignals take(Snapshot snapshot);
  // A reading failed: what was seen before says nothing about now.
  void forget() { stalls_.clear(); }

 private:
  void update_rates(const Snapshot& snapshot);
  void count_kills(const Snapshot& snapshot);

  struct Counters {
    TimePoint at;
    VmStat stat;
  };
  // By the file that was read: our own cgroup and those above it have one each, and the machine.
  std::map<std::filesystem::path, StallWatch> stalls_;
  std::optional<Counters> rates_from_;  // nullopt: no counters yet
  std::optional<double> refaults_per_s_;
  std::optional<double> major_faults_per_s_;
  std::optional<std::int64_t> last_kills_;  // as last read
  std::string kills_read_from_;             // the cgroup's path, or ""
  std::optional<std::int64_t> kills_;
};

}  // namespace hf::readers
