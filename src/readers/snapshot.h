#pragma once
// Everything the kernel says about the machine's memory, read in one go: one value, one time. It
// exists so that a decision, /health and `doctor` never mix readings of different moments.

#include <filesystem>
#include <optional>

#include "base/mechanism.h"
#include "base/result.h"
#include "base/time.h"
#include "readers/cgroup_events.h"
#include "readers/machine_memory.h"
#include "readers/meminfo.h"
#include "readers/pressure.h"
#include "readers/vmstat.h"

namespace hf::readers {

struct Snapshot {
  TimePoint at;
  MemInfo info;
  MachineMemory machine;                      // with the tightest cgroup
  std::optional<CgroupEvents> cgroup_events;  // of that cgroup; nullopt: no limit, or it has none
  std::optional<Pressure> pressure;           // nullopt: no PSI
  std::filesystem::path pressure_from;        // its file: the machine's or that cgroup's
  std::optional<VmStat> vmstat;               // nullopt: not to be had
};

// The file that a snapshot taken now would read stalls from.
std::filesystem::path pressure_file_now(const std::filesystem::path& proc_root,
                                        const Mechanisms& without);

// The cgroup's limit leaves less room than the machine does.
bool cgroup_is_tightest(const MachineMemory& memory);

// Reads below `proc_root`, which replaces "/" for /proc and /sys/fs/cgroup, without what is
// switched off. Some small files that the kernel answers from memory: 0.25 ms. Errors: those of
// meminfo, Unsupported if it is switched off; everything else that is missing only narrows what is
// known. Any thread.
Result<Snapshot> read_snapshot(const std::filesystem::path& proc_root, const Mechanisms& without,
                               TimePoint now);

}  // namespace hf::readers
