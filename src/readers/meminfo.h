#pragma once
// /proc/meminfo: how much memory the machine has and how much of it can be had. Any thread.
// Source: Documentation/filesystems/proc.rst of Linux. MemAvailable is the kernel's own estimate;
// it counts the page cache, and with it the weights of mapped models, as available.

#include <filesystem>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace hf::readers {

struct MemInfo {
  Bytes total;
  Bytes available;  // never more than total
  Bytes swap_total;
  Bytes swap_free;

  bool operator==(const MemInfo&) const = default;
};

// Errors: Corrupt when MemTotal or MemAvailable is missing, not a number, or the total is 0.
Result<MemInfo> parse_meminfo(std::string_view text);

// Reads ROOT/proc/meminfo; `root` is "/" or the `proc_root` of the configuration.
Result<MemInfo> read_meminfo(const std::filesystem::path& root);

}  // namespace hf::readers
