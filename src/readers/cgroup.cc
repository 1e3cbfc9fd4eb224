#include "readers/cgroup.h"

#include <algorithm>

#include "readers/proc_file.h"

namespace hf::readers {
namespace {

namespace fs = std::filesystem;

// No path in a real hierarchy is deeper; it bounds the walk over an odd one.
constexpr int kDeepest = 64;

std::optional<Bytes> read_bytes_file(const fs::path& path) {
  const auto number = read_number_file(path);  // "max" is no number: no limit
  return number ? std::optional(Bytes(*number)) : std::nullopt;
}

std::optional<CgroupMemory> with_usage(const fs::path& directory, Bytes limit,
                                       std::string_view usage_name, const std::string& prefix) {
  const auto usage = read_bytes_file(directory / usage_name);
  if (!usage || limit.count <= 0) {
    return std::nullopt;
  }
  CgroupMemory memory;
  memory.path = directory.string();
  memory.limit = limit;
  memory.usage = *usage;
  if (const auto stat = read_small_file(directory / "memory.stat")) {
    memory.inactive_file =
        std::min(find_stat(*stat, prefix + "inactive_file").value_or(Bytes()), *usage);
    memory.active_file = std::min(find_stat(*stat, prefix + "active_file").value_or(Bytes()),
                                  *usage - memory.inactive_file);
  }
  return memory;
}

// Adds `own` below the hierarchy and every directory above it, up to the hierarchy itself.
void walk_up(const fs::path& hierarchy, const std::string& own, CgroupVersion version,
             std::vector<CgroupDirectory>& found) {
  fs::path relative = fs::path(own).relative_path().lexically_normal();
  if (!relative.empty() && *relative.begin() == "..") {
    relative.clear();  // a cgroup outside our namespace: only the mounted root says anything
  }
  for (int depth = 0; depth < kDeepest; ++depth) {
    found.push_back({relative.empty() ? hierarchy : hierarchy / relative, version});
    if (relative.empty() || relative == ".") {
      return;
    }
    relative = relative.parent_path();
  }
}

}  // namespace

CgroupPaths parse_proc_self_cgroup(std::string_view text) {
  CgroupPaths paths;
  for (const std::string_view line : lines_of(text)) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) {
      continue;
    }
    const std::string_view id = line.substr(0, first);
    const std::string_view path = line.substr(second + 1);
    std::string controllers = ',' + std::string(line.substr(first + 1, second - first - 1)) + ',';
    if (!path.starts_with('/')) {
      continue;
    }
    if (id == "0" && controllers == ",,") {
      paths.unified = std::string(path);
    } else if (controllers.find(",memory,") != std::string::npos) {
      paths.v1_memory = std::string(path);
    }
  }
  return paths;
}

double CgroupMemory::used_percent() const {
  const double share = static_cast<double>(working_set().count) / static_cast<double>(limit.count);
  return std::clamp(100.0 * share, 0.0, 100.0);
}

std::optional<CgroupMemory> read_cgroup_v2(const fs::path& directory) {
  // Above memory.high the kernel throttles a group hard enough to count as being out of memory.
  const auto max = read_bytes_file(directory / "memory.max");
  const auto high = read_bytes_file(directory / "memory.high");
  if (!max && !high) {
    return std::nullopt;
  }
  const Bytes limit = max && high ? std::min(*max, *high) : max.value_or(high.value_or(Bytes()));
  return with_usage(directory, limit, "memory.current", "");
}

std::optional<CgroupMemory> read_cgroup_v1(const fs::path& directory) {
  const auto limit = read_bytes_file(directory / "memory.limit_in_bytes");
  if (!limit) {
    return std::nullopt;
  }
  return with_usage(directory, *limit, "memory.usage_in_bytes", "total_");
}

std::vector<CgroupDirectory> cgroup_directories(const fs::path& root, const CgroupPaths& paths,
                                                const Mechanisms& without) {
  std::vector<CgroupDirectory> found;
  const fs::path base = root / "sys/fs/cgroup";
  const std::string v2 = paths.unified.value_or("/");
  if (!without.has(Mechanism::CgroupV2)) {
    walk_up(base, v2, CgroupVersion::Two, found);
    // Where version 1 holds the controllers.
    walk_up(base / "unified", v2, CgroupVersion::Two, found);
  }
  if (!without.has(Mechanism::CgroupV1)) {
    walk_up(base / "memory", paths.v1_memory.value_or("/"), CgroupVersion::One, found);
  }
  return found;
}

std::vector<CgroupMemory> read_cgroup_limits(const fs::path& root, const CgroupPaths& paths,
                                             const Mechanisms& without) {
  std::vector<CgroupMemory> found;
  for (const CgroupDirectory& directory : cgroup_directories(root, paths, without)) {
    auto memory = directory.version == CgroupVersion::Two ? read_cgroup_v2(directory.path)
                                                          : read_cgroup_v1(directory.path);
    if (memory) {
      found.push_back(std::move(*memory));
    }
  }
  return found;
}

CgroupPaths read_own_cgroup_paths() {
  const auto text = read_small_file("/proc/self/cgroup");
  return text ? parse_proc_self_cgroup(*text) : CgroupPaths{};
}

}  // namespace hf::readers
