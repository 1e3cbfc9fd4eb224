#pragma once
// /proc/vmstat: what the kernel had to do for want of memory, counted since boot. Any thread.
// Source: mm/vmstat.c and Documentation/admin-guide/cgroup-v2.rst (meaning of the workingset
// counters) of Linux.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace hf::readers {

struct VmStat {
  // Pages of files that were read again soon after they had been dropped: weights that do not fit
  // into the page cache any more.
  std::optional<std::int64_t> refaults;
  std::optional<std::int64_t> major_faults;  // accesses that had to wait for a disk
  std::optional<std::int64_t> oom_kills;     // on the whole machine; since Linux 4.13

  bool operator==(const VmStat&) const = default;
};

// A counter that is missing or odd is left out; older names of a counter are known.
VmStat parse_vmstat(std::string_view text);

// Reads ROOT/proc/vmstat. Errors: NotFound, PermissionDenied, Io.
Result<VmStat> read_vmstat(const std::filesystem::path& root);

}  // namespace hf::readers
