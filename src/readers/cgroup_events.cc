#include "readers/cgroup_events.h"

#include "readers/proc_file.h"

namespace hf::readers {
namespace {

namespace fs = std::filesystem;

std::optional<Bytes> number_in(const fs::path& path) {
  const auto number = read_number_file(path);
  return number ? std::optional(Bytes(*number)) : std::nullopt;
}

std::optional<CgroupEvents> read_version_2(const fs::path& directory) {
  const auto events = read_small_file(directory / "memory.events");
  if (!events) {
    return std::nullopt;
  }
  return CgroupEvents{directory.string(), parse_oom_kills(*events),
                      number_in(directory / "memory.peak"),  // since Linux 5.19
                      number_in(directory / "memory.swap.current")};
}

std::optional<CgroupEvents> read_version_1(const fs::path& directory) {
  const auto control = read_small_file(directory / "memory.oom_control");
  if (!control) {
    return std::nullopt;
  }
  CgroupEvents events{directory.string(), parse_oom_kills(*control),
                      number_in(directory / "memory.max_usage_in_bytes"), std::nullopt};
  if (const auto stat = read_small_file(directory / "memory.stat")) {
    events.swap = find_stat(*stat, "total_swap");
  }
  return events;
}

}  // namespace

std::optional<std::int64_t> parse_oom_kills(std::string_view text) {
  const auto found = find_stat(text, "oom_kill");
  return found ? std::optional(found->count) : std::nullopt;
}

std::optional<CgroupEvents> read_cgroup_events(const fs::path& directory) {
  auto events = read_version_2(directory);
  return events ? events : read_version_1(directory);
}

}  // namespace hf::readers
