#include "readers/ladder.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/assert.h"
#include "readers/cgroup.h"
#include "readers/meminfo.h"
#include "readers/page_cache.h"
#include "readers/pressure.h"
#include "readers/pressure_trigger.h"
#include "readers/proc_file.h"
#include "readers/process_memory.h"
#include "readers/snapshot.h"
#include "readers/vmstat.h"

namespace hf::readers {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kThisProgram = "/proc/self/exe";

void refuse(Rung& rung, const Error& error, std::string_view remedy) {
  rung.why_not = error.message;
  rung.remedy = remedy;
}

std::string whose_tasks(const fs::path& file) {
  return file.filename() == "memory.pressure" ? "tasks of " + file.parent_path().string()
                                              : "tasks of the machine";
}

Rung trigger_rung(const fs::path& file, const Mechanisms& without) {
  Rung rung{"PSI trigger",
            "the kernel wakes us when " + whose_tasks(file) + " stand still for 150 ms of 2 s"};
  if (without.has(Mechanism::Psi)) {
    switch_off(rung, "psi");
  } else if (without.has(Mechanism::PsiTrigger)) {
    switch_off(rung, "psi_trigger");
  } else if (const auto trigger = PressureTrigger::arm(file); !trigger) {
    const bool no_psi = trigger.error().code == Errc::NotFound;
    refuse(rung, trigger.error(),
           no_psi ? "boot the kernel with psi=1"
                  : "Linux 6.5 or newer, or CAP_SYS_RESOURCE for the server");
  }
  return rung;
}

Rung psi_rung(const fs::path& file, const Mechanisms& without) {
  Rung rung{"PSI totals", "the same share of time, read twice a second"};
  if (without.has(Mechanism::Psi)) {
    switch_off(rung, "psi");
  } else if (const auto pressure = read_pressure(file); !pressure) {
    refuse(rung, pressure.error(), "boot the kernel with psi=1");
  }
  return rung;
}

// A hierarchy that our memory is counted in, whether it sets a limit or not.
bool counts_memory(const CgroupDirectory& directory) {
  if (directory.version == CgroupVersion::One) {
    return read_small_file(directory.path / "memory.limit_in_bytes").has_value();
  }
  if (read_small_file(directory.path / "memory.max")) {
    return true;
  }
  const auto controllers = read_small_file(directory.path / "cgroup.controllers");
  const auto words =
      controllers ? words_of(std::string_view(*controllers).substr(0, controllers->find('\n')))
                  : std::vector<std::string_view>{};
  return std::find(words.begin(), words.end(), "memory") != words.end();
}

Rung cgroup_rung(const fs::path& root, const Mechanisms& without, CgroupVersion version) {
  const bool two = version == CgroupVersion::Two;
  Rung rung{two ? "cgroup version 2" : "cgroup version 1",
            two ? "memory.max and memory.high of our cgroup and those above it"
                : "memory.limit_in_bytes of our cgroup and those above it"};
  if (without.has(two ? Mechanism::CgroupV2 : Mechanism::CgroupV1)) {
    switch_off(rung, two ? "cgroup_v2" : "cgroup_v1");
    return rung;
  }
  for (const CgroupDirectory& directory :
       cgroup_directories(root, read_own_cgroup_paths(), without)) {
    if (directory.version == version && counts_memory(directory)) {
      return rung;
    }
  }
  rung.why_not = "no such hierarchy with the memory controller is mounted";
  return rung;
}

}  // namespace

void switch_off(Rung& rung, std::string_view word) {
  rung.why_not = "switched off";
  rung.remedy = "take \"" + std::string(word) + "\" out of [memory] without";
}

std::size_t Need::standing() const {
  const auto usable = std::find_if(rungs.begin(), rungs.end(),
                                   [](const Rung& rung) { return rung.why_not.empty(); });
  HF_ASSERT(usable != rungs.end(), "the last rung of a ladder can always be used");
  return static_cast<std::size_t>(usable - rungs.begin());
}

Need pressure_alarm(const fs::path& proc_root, const Mechanisms& without) {
  const fs::path file = pressure_file_now(proc_root, without);
  return {"pressure alarm",
          {trigger_rung(file, without),
           psi_rung(file, without),
           {"marks alone", "how much memory is in use, read twice a second"}}};
}

Need machine_memory_need(const fs::path& proc_root, const Mechanisms& without) {
  Rung best{"/proc/meminfo", "memory in use against the marks, and the default budget"};
  if (without.has(Mechanism::MemInfo)) {
    switch_off(best, "meminfo");
  } else if (const auto info = read_meminfo(proc_root); !info) {
    refuse(best, info.error(), "mount /proc, or set [memory] proc_root to where it is");
  }
  return {"machine memory",
          {std::move(best), {"nothing", "pressure is not watched; set [memory] budget"}}};
}

Need memory_limit(const fs::path& proc_root, const Mechanisms& without) {
  return {"memory limit",
          {cgroup_rung(proc_root, without, CgroupVersion::Two),
           cgroup_rung(proc_root, without, CgroupVersion::One),
           {"RAM alone", "a limit of our cgroup would not be seen"}}};
}

Need thrash_counters(const fs::path& proc_root, const Mechanisms& without) {
  Rung best{"/proc/vmstat", "how fast dropped weights are read again, and kills"};
  if (without.has(Mechanism::VmStat)) {
    switch_off(best, "vmstat");
  } else if (const auto stat = read_vmstat(proc_root); !stat) {
    refuse(best, stat.error(), "mount /proc, or set [memory] proc_root to where it is");
  }
  return {"thrash counters", {std::move(best), {"nothing", "/health does not show them"}}};
}

Need child_memory(const Mechanisms& without) {
  Rung best{"RssAnon + Pss_File", "a file shared by two models is charged by halves"};
  if (without.has(Mechanism::SmapsRollup)) {
    switch_off(best, "smaps_rollup");
  } else if (const auto rollup = read_small_file("/proc/self/smaps_rollup"); !rollup) {
    refuse(best, rollup.error(), "Linux 4.14 or newer");
  } else if (!parse_pss_file(*rollup)) {
    best.why_not = "/proc/self/smaps_rollup has no Pss_File line";
    best.remedy = "Linux 5.4 or newer";
  }
  Rung second{"RssAnon + RssFile", "a file shared by two models is charged to each in full"};
  const auto status = read_small_file("/proc/self/status");
  if (!status || !parse_process_status(*status)) {
    second.why_not = "/proc/self/status has no RssAnon line";
    second.remedy = "Linux 4.5 or newer";
  }
  return {"a model's memory",
          {std::move(best), std::move(second), {"prediction", "nothing is measured"}}};
}

Need page_cache_share(const Mechanisms& without) {
  Rung best{"cachestat", "what a reload costs, by how much of the file is in the page cache"};
  if (without.has(Mechanism::Cachestat)) {
    switch_off(best, "cachestat");
  } else if (const auto cached = cached_bytes_by_cachestat(kThisProgram); !cached) {
    refuse(best, cached.error(), "Linux 6.5 or newer, and no filter of system calls in the way");
  }
  Rung second{"mincore", "the same for files that the server owns or may write, by samples"};
  if (without.has(Mechanism::Mincore)) {
    switch_off(second, "mincore");
  } else if (const auto cached = cached_bytes_by_mincore(kThisProgram);
             !cached && cached.error().code != Errc::PermissionDenied) {
    refuse(second, cached.error(), "");
  }
  return {
      "page cache share",
      {std::move(best), std::move(second), {"averages", "all loads of a model count as one kind"}}};
}

std::vector<Need> inspect_ladder(const fs::path& proc_root, const Mechanisms& without) {
  return {pressure_alarm(proc_root, without),
          machine_memory_need(proc_root, without),
          memory_limit(proc_root, without),
          thrash_counters(proc_root, without),
          child_memory(without),
          page_cache_share(without)};
}

}  // namespace hf::readers
