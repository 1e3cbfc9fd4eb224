#include "readers/snapshot.h"

#include "readers/cgroup.h"

namespace hf::readers {
namespace {

MachineMemory machine_of(const MemInfo& info, const std::filesystem::path& proc_root,
                         const Mechanisms& without) {
  return combine(info, read_cgroup_limits(proc_root, read_own_cgroup_paths(), without));
}

}  // namespace

bool cgroup_is_tightest(const MachineMemory& memory) {
  return memory.cgroup && memory.cgroup->room() < memory.available;
}

std::filesystem::path pressure_file_now(const std::filesystem::path& proc_root,
                                        const Mechanisms& without) {
  const auto info = read_meminfo(proc_root);
  if (!info) {
    return pressure_file(proc_root, std::nullopt);
  }
  return pressure_file(proc_root, machine_of(*info, proc_root, without).cgroup);
}

Result<Snapshot> read_snapshot(const std::filesystem::path& proc_root, const Mechanisms& without,
                               TimePoint now) {
  if (without.has(Mechanism::MemInfo)) {
    return fail(Errc::Unsupported, "proc/meminfo: switched off by [memory] without");
  }
  const auto info = read_meminfo(proc_root);
  if (!info) {
    return fail(info.error());
  }
  Snapshot snapshot;
  snapshot.at = now;
  snapshot.info = *info;
  snapshot.machine = machine_of(*info, proc_root, without);
  if (snapshot.machine.cgroup) {
    snapshot.cgroup_events = read_cgroup_events(snapshot.machine.cgroup->path);
  }
  if (!without.has(Mechanism::Psi)) {
    snapshot.pressure_from = pressure_file(proc_root, snapshot.machine.cgroup);
    if (auto pressure = read_pressure(snapshot.pressure_from)) {
      snapshot.pressure = *pressure;
    }
  }
  if (!without.has(Mechanism::VmStat)) {
    if (auto vmstat = read_vmstat(proc_root)) {
      snapshot.vmstat = *vmstat;
    }
  }
  return snapshot;
}

}  // namespace hf::readers
