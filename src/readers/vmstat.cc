#include "readers/vmstat.h"

#include "readers/proc_file.h"

namespace hf::readers {
namespace {

std::optional<std::int64_t> counter(std::string_view text, std::string_view key) {
  const auto found = find_stat(text, key);
  return found ? std::optional(found->count) : std::nullopt;
}

}  // namespace

VmStat parse_vmstat(std::string_view text) {
  VmStat stat;
  stat.refaults = counter(text, "workingset_refault_file");
  if (!stat.refaults) {
    stat.refaults = counter(text, "workingset_refault");  // before Linux 5.9
  }
  stat.major_faults = counter(text, "pgmajfault");
  stat.oom_kills = counter(text, "oom_kill");
  return stat;
}

Result<VmStat> read_vmstat(const std::filesystem::path& root) {
  const auto text = read_small_file(root / "proc/vmstat");
  if (!text) {
    return fail(text.error());
  }
  return parse_vmstat(*text);
}

}  // namespace hf::readers
