#pragma once
// Memory limits of the cgroups we live in, version 2 and version 1. A container or a systemd unit
// may be allowed far less than the machine has, by its own cgroup or by any above it. Any thread.
// Source: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of Linux.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/mechanism.h"
#include "base/result.h"

namespace hf::readers {

// Our place in the hierarchies, as /proc/self/cgroup tells it.
struct CgroupPaths {
  std::optional<std::string> unified;    // version 2: "/user.slice/…"
  std::optional<std::string> v1_memory;  // version 1, the hierarchy of the memory controller

  bool operator==(const CgroupPaths&) const = default;
};

// Lines that are not of the form "ID:CONTROLLERS:PATH" are skipped.
CgroupPaths parse_proc_self_cgroup(std::string_view text);

struct CgroupMemory {
  std::string path;        // of the directory whose limit it is
  Bytes limit;             // the lower of memory.max and memory.high, or memory.limit_in_bytes
  Bytes usage;             // of the whole subtree, page cache included
  Bytes inactive_file;     // page cache, read once or not lately
  Bytes active_file = {};  // page cache that was read again; both together at most usage

  // What cannot be had back by dropping page cache. Active pages are as clean and as reclaimable as
  // inactive ones, and a file that is read twice is active (ADR 8). tmpfs and locked pages are on
  // neither list and count.
  Bytes working_set() const { return usage - inactive_file - active_file; }
  Bytes room() const { return limit - working_set(); }
  double used_percent() const;

  bool operator==(const CgroupMemory&) const = default;
};

// One directory; none when it sets no limit or its files are missing or odd.
std::optional<CgroupMemory> read_cgroup_v2(const std::filesystem::path& directory);
std::optional<CgroupMemory> read_cgroup_v1(const std::filesystem::path& directory);

enum class CgroupVersion { One, Two };
struct CgroupDirectory {
  std::filesystem::path path;  // it need not exist
  CgroupVersion version = CgroupVersion::Two;
};

// Our own cgroup and those above it up to the root of each hierarchy below ROOT/sys/fs/cgroup, the
// innermost first, version 2 before version 1.
std::vector<CgroupDirectory> cgroup_directories(const std::filesystem::path& root,
                                                const CgroupPaths& paths,
                                                const Mechanisms& without = {});

// Every limit on that way. Directories that are missing are skipped: inside a container the mounted
// tree often begins at our own cgroup, whatever the path says.
std::vector<CgroupMemory> read_cgroup_limits(const std::filesystem::path& root,
                                             const CgroupPaths& paths,
                                             const Mechanisms& without = {});

// Our own paths; always the real /proc, since a `proc_root` replaces machine-wide files only. Both
// are empty when there is no such file.
CgroupPaths read_own_cgroup_paths();

}  // namespace hf::readers
