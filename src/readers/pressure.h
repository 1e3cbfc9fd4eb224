#pragma once
// /proc/pressure/memory or a cgroup's memory.pressure (PSI): which share of the time tasks stood
// still for want of memory. A late alarm, seconds after the fact, so it confirms pressure and is
// never a budget. Any thread. Source: Documentation/accounting/psi.rst of Linux,
// Documentation/admin-guide/cgroup-v2.rst.

#include <filesystem>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "readers/cgroup.h"

namespace hf::readers {

struct StallShare {
  double avg10 = 0;  // percent of the last 10 s
  double avg60 = 0;
  double avg300 = 0;
  Duration total{};  // since boot, or since the cgroup was made

  bool operator==(const StallShare&) const = default;
};

struct Pressure {
  StallShare some;  // at least one task stood still
  StallShare full;  // all of them did

  bool operator==(const Pressure&) const = default;
};

// Errors: Corrupt unless there is a "some" line of the documented form; "full" may be missing.
Result<Pressure> parse_pressure(std::string_view text);

// Errors: NotFound where the kernel was built or booted without PSI.
Result<Pressure> read_pressure(const std::filesystem::path& file);

// Whose stalls count: those of the tasks in `cgroup`, where it has a memory.pressure that can be
// read (version 2), for on the machine a stranger may thrash in a limit of its own; else those of
// all tasks, ROOT/proc/pressure/memory, whether it is there or not.
std::filesystem::path pressure_file(const std::filesystem::path& root,
                                    const std::optional<CgroupMemory>& cgroup);

}  // namespace hf::readers
