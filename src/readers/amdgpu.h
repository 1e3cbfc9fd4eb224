#pragma once
// AMD cards, as the amdgpu driver tells of them in sysfs, and what a process holds on them, as it
// tells in the fdinfo of the process's own files. Without a library. Any thread, but off the event
// loop. Source: Linux, Documentation/gpu/amdgpu/driver-misc.rst and drm-usage-stats.rst.

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "readers/gpu.h"

namespace hf::readers {

// Cards with memory of their own below ROOT/sys/class/drm, in the order of the bus. `ours`: the
// processes to be looked at, below `proc`; another user's cannot be read and are left out.
std::vector<Gpu> read_amdgpu(const std::filesystem::path& root, const std::filesystem::path& proc,
                             const std::vector<int>& ours);

// One file's lines in /proc/PID/fdinfo, if it is one of a card of this driver.
struct DrmClient {
  std::string pci_id;
  std::string client;  // several files of one client show the same memory
  Bytes vram;

  bool operator==(const DrmClient&) const = default;
};
std::optional<DrmClient> parse_drm_fdinfo(std::string_view text);

}  // namespace hf::readers
