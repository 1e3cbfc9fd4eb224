#pragma once
// What a memory limit did to a cgroup: kills for want of memory, the most it ever used, its swap.
// Any thread. Source: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of Linux.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace hf::readers {

struct CgroupEvents {
  std::string path;                       // of the directory they were read from
  std::optional<std::int64_t> oom_kills;  // in the group and below it, since it was made
  std::optional<Bytes> peak;              // the most used, page cache included
  std::optional<Bytes> swap;              // now

  bool operator==(const CgroupEvents&) const = default;
};

// "oom_kill N" of memory.events (version 2) and memory.oom_control (version 1, since Linux 4.13).
std::optional<std::int64_t> parse_oom_kills(std::string_view text);

// One directory, of either version; none when it has neither of the two files.
std::optional<CgroupEvents> read_cgroup_events(const std::filesystem::path& directory);

}  // namespace hf::readers
