#pragma once
// Limits of one child's memory that the kernel keeps, far above what the ledger expects: whoever
// runs into them was out of bounds, and dies alone instead of taking the machine's memory. Off
// unless configured. Two kinds, by what the machine allows: RLIMIT_DATA, and a memory cgroup of the
// child's own. Loop thread.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace hf::process {

struct Fence {
  // Private writable memory, mapped or not yet touched; a model's mapped file does not count.
  // Source: setrlimit(2), RLIMIT_DATA since Linux 4.7.
  std::optional<Bytes> data;
  std::string cgroup;  // directory the child moves into before it becomes the engine; "": none

  [[nodiscard]] bool off() const { return !data && cgroup.empty(); }
};

// Our own cgroups, as /proc/self/cgroup names them.
struct OwnCgroups {
  std::optional<std::string> unified;    // version 2
  std::optional<std::string> v1_memory;  // version 1, the memory controller's hierarchy
};

// Makes and removes the children's cgroups, below our own. With version 2 the server itself moves
// into a cgroup `ctl` beside them where it must, because processes and the limits of children
// cannot be at home in the same cgroup. Sources: Documentation/admin-guide/cgroup-v2.rst ("No
// Internal Process Constraint") and cgroup-v1/memory.rst of Linux.
class MemoryCgroups {
 public:
  // `mounted`: where the hierarchies are, /sys/fs/cgroup. Version 2 first. Removes what a server
  // that is gone has left. Errors: Unsupported (no memory controller is ours to use),
  // PermissionDenied, Io.
  static Result<MemoryCgroups> open(const std::filesystem::path& mounted, const OwnCgroups& own);

  // The directory of a new cgroup with that limit; swap is no way around it where swap is counted.
  // Errors: PermissionDenied, Io.
  Result<std::string> make(const std::string& name, Bytes limit);
  [[nodiscard]] bool is_v2() const { return v2_; }
  [[nodiscard]] const std::filesystem::path& home() const { return home_; }

 private:
  MemoryCgroups(std::filesystem::path home, bool v2) : home_(std::move(home)), v2_(v2) {}
  void sweep() const;

  std::filesystem::path home_;  // the cgroup below which the children's are made
  bool v2_;
};

// Processes that the kernel killed in this cgroup because its limit was reached; 0 if it does not
// tell.
std::uint64_t cgroup_oom_kills(const std::string& directory);

// SIGKILL to every process that still is in it.
void kill_cgroup(const std::string& directory);

// Once the last process is reaped. A cgroup that is still busy stays for the next sweep.
void remove_cgroup(const std::string& directory);

}  // namespace hf::process
