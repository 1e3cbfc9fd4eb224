#include "readers/meminfo.h"

#include <algorithm>

#include "readers/proc_file.h"

namespace hf::readers {

Result<MemInfo> parse_meminfo(std::string_view text) {
  const auto total = find_kib(text, "MemTotal");
  const auto available = find_kib(text, "MemAvailable");
  if (!total || !available || total->count == 0) {
    return fail(Errc::Corrupt, "meminfo: no usable MemTotal and MemAvailable");
  }
  MemInfo info;
  info.total = *total;
  info.available = std::min(*available, *total);
  info.swap_total = find_kib(text, "SwapTotal").value_or(Bytes());
  info.swap_free = find_kib(text, "SwapFree").value_or(Bytes());
  return info;
}

Result<MemInfo> read_meminfo(const std::filesystem::path& root) {
  const std::filesystem::path path = root / "proc/meminfo";
  const auto text = read_small_file(path);
  if (!text) {
    return fail(text.error());
  }
  auto info = parse_meminfo(*text);
  if (!info) {
    return fail(std::move(info.error()).with_context(path.string()));
  }
  return info;
}

}  // namespace hf::readers
