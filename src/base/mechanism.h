#pragma once
// The mechanisms of the kernel and of drivers that Holdfast uses where they exist and can do
// without where they do not. Why a list: `[memory] without` switches any of them off, so that each
// rung of the ladder of fall-backs can be tried on a machine that has them all. Value types, any
// thread.

#include <array>
#include <bitset>
#include <cstddef>
#include <optional>
#include <string_view>

namespace hf {

enum class Mechanism {
  MemInfo,      // /proc/meminfo
  CgroupV2,     // limits, events and peaks of our cgroups, version 2
  CgroupV1,     // the same of version 1
  PsiTrigger,   // being woken by /proc/pressure/memory
  Psi,          // reading /proc/pressure/memory; without it there is no trigger either
  VmStat,       // /proc/vmstat
  SmapsRollup,  // /proc/PID/smaps_rollup
  Cachestat,    // cachestat(2)
  Mincore,      // mincore(2)
  Nvml,         // NVIDIA's library
  Amdgpu,       // sysfs of amdgpu
};

struct MechanismWord {
  Mechanism mechanism;
  std::string_view word;  // in the configuration
};
inline constexpr std::array<MechanismWord, 11> kMechanisms{{
    {Mechanism::MemInfo, "meminfo"},
    {Mechanism::CgroupV2, "cgroup_v2"},
    {Mechanism::CgroupV1, "cgroup_v1"},
    {Mechanism::PsiTrigger, "psi_trigger"},
    {Mechanism::Psi, "psi"},
    {Mechanism::VmStat, "vmstat"},
    {Mechanism::SmapsRollup, "smaps_rollup"},
    {Mechanism::Cachestat, "cachestat"},
    {Mechanism::Mincore, "mincore"},
    {Mechanism::Nvml, "nvml"},
    {Mechanism::Amdgpu, "amdgpu"},
}};

constexpr std::optional<Mechanism> mechanism_named(std::string_view word) {
  for (const MechanismWord& known : kMechanisms) {
    if (known.word == word) {
      return known.mechanism;
    }
  }
  return std::nullopt;
}

// A set of them.
class Mechanisms {
 public:
  Mechanisms() = default;
  template <class... More>
  explicit Mechanisms(Mechanism first, More... more) {
    add(first);
    (add(more), ...);
  }

  void add(Mechanism mechanism) { set_.set(static_cast<std::size_t>(mechanism)); }
  [[nodiscard]] bool has(Mechanism mechanism) const {
    return set_.test(static_cast<std::size_t>(mechanism));
  }
  [[nodiscard]] bool empty() const { return set_.none(); }
  bool operator==(const Mechanisms&) const = default;

 private:
  std::bitset<kMechanisms.size()> set_;
};

}  // namespace hf
