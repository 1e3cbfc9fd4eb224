#include "readers/machine_memory.h"

#include <algorithm>
#include <cmath>

#include "base/assert.h"
#include "base/units.h"

namespace hf::readers {
namespace {

// Below this the kernel, the page cache of the engine's binary and a shell do not live comfortably.
constexpr Bytes kLeastReserve = 512 * kMiB;

BudgetTerms terms_of(Bytes limit, Bytes others, double high_percent) {
  BudgetTerms terms;
  terms.limit = limit;
  terms.others = std::max(others, Bytes());
  const double share = static_cast<double>(limit.count) * (100.0 - high_percent) / 100.0;
  terms.reserve = std::max(kLeastReserve, Bytes(static_cast<std::int64_t>(std::ceil(share))));
  terms.budget = std::max(Bytes(), terms.limit - terms.others - terms.reserve);
  return terms;
}

}  // namespace

MachineMemory combine(const MemInfo& info, const std::vector<CgroupMemory>& limits) {
  MachineMemory memory;
  memory.total = info.total;
  memory.available = info.available;
  const double free_share =
      static_cast<double>(info.available.count) / static_cast<double>(info.total.count);
  memory.used_percent = std::clamp(100.0 * (1.0 - free_share), 0.0, 100.0);
  for (const CgroupMemory& limit : limits) {
    if (limit.limit >= info.total) {
      continue;
    }
    memory.used_percent = std::max(memory.used_percent, limit.used_percent());
    if (!memory.cgroup || limit.room() < memory.cgroup->room()) {
      memory.cgroup = limit;
    }
  }
  return memory;
}

std::string arithmetic(const BudgetTerms& terms) {
  return (terms.from_cgroup ? "cgroup limit " : "RAM ") + format_bytes(terms.limit) + " - " +
         format_bytes(terms.others) + " used by others - " + format_bytes(terms.reserve) +
         " in reserve";
}

BudgetTerms default_budget(const MachineMemory& memory, double high_percent) {
  HF_ASSERT(high_percent > 0 && high_percent <= 100, "the configuration checks its marks");
  BudgetTerms terms = terms_of(memory.total, memory.total - memory.available, high_percent);
  if (memory.cgroup) {
    BudgetTerms inner = terms_of(memory.cgroup->limit, memory.cgroup->working_set(), high_percent);
    inner.from_cgroup = true;
    if (inner.budget < terms.budget) {
      terms = inner;
    }
  }
  return terms;
}

}  // namespace hf::readers
