#pragma once
// One reading of the machine's memory, and the budget that follows from it when none was set. The
// reading decides pressure (high, low, critical marks); it never decides admission, because
// resident weights count as free in it. Any thread.

#include <optional>
#include <string>

#include "base/bytes.h"
#include "readers/cgroup.h"
#include "readers/meminfo.h"

namespace hf::readers {

struct MachineMemory {
  Bytes total;
  Bytes available;
  std::optional<CgroupMemory> cgroup;  // the tightest limit below `total`, if there is any
  // The tighter of 100·(1 − available/total) and working set/limit of any cgroup above us.
  double used_percent = 0;

  bool operator==(const MachineMemory&) const = default;
};

// Pure. Limits of `total` and more are none (version 1 says "unlimited" with a huge number). The
// tightest is the one with the least room; of equals the first, that is the innermost.
MachineMemory combine(const MemInfo& info, const std::vector<CgroupMemory>& limits);

// The arithmetic of the default budget, term by term, for `doctor` to print:
//   budget = max(0, limit − others − reserve)
struct BudgetTerms {
  Bytes limit;               // MemTotal, or the cgroup's limit
  bool from_cgroup = false;  // which of the two it is
  Bytes others;              // used by everything else now
  Bytes reserve;             // left free on purpose
  Bytes budget;

  bool operator==(const BudgetTerms&) const = default;
};

// "RAM 24.0 GiB - 1.00 GiB used by others - 2.40 GiB in reserve".
std::string arithmetic(const BudgetTerms& terms);

// To be asked before any child runs, else our own models count as others. Computed for the machine
// and for the tightest cgroup; the lower budget holds. reserve = max(512 MiB, (100 − high_percent)
// % of the limit): models that fill the whole budget must not by themselves reach the high mark, or
// every idle one would be unloaded as soon as it is loaded. Requires: 0 < high_percent ≤ 100.
BudgetTerms default_budget(const MachineMemory& memory, double high_percent);

}  // namespace hf::readers
