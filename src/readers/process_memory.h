#pragma once
// Memory of one process: what a child really uses, against what was reserved for it. Any thread,
// but off the event loop: the cost of smaps_rollup grows with the number of mappings. Source:
// proc(5). Always the real /proc, since a `proc_root` replaces machine-wide files only.

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/mechanism.h"
#include "base/result.h"

namespace hf::readers {

struct ProcessMemory {
  Bytes rss_anon;  // heap, KV cache, weights read without mapping
  Bytes rss_file;  // mapped files in memory, shared pages counted in full
  Bytes rss_shmem;
  Bytes high_water;               // VmHWM: the most resident so far, files included
  std::optional<Bytes> pss_file;  // mapped files, shared pages divided among their users

  // What unloading it would give back: RssAnon + RssShmem + Pss_File (RssFile where the kernel does
  // not tell).
  Bytes resident() const { return rss_anon + rss_shmem + pss_file.value_or(rss_file); }

  // The same for the moment when most was resident, which no sample need have hit: the kernel
  // keeps that mark. What of it is shared with other processes is taken to be what is now.
  Bytes peak() const {
    return std::max(resident(), high_water - (rss_file - pss_file.value_or(rss_file)));
  }

  bool operator==(const ProcessMemory&) const = default;
};

// The text of /proc/PID/status; pss_file stays empty. Errors: NotFound for a process without memory
// (it has ended and waits to be reaped, or belongs to the kernel).
Result<ProcessMemory> parse_process_status(std::string_view text);

// Pss_File of /proc/PID/smaps_rollup; none where the kernel has no such line (before 5.4).
std::optional<Bytes> parse_pss_file(std::string_view text);

// Only the status: one small file, which may be read on the event loop. Errors as below.
Result<ProcessMemory> read_process_status(int pid, const std::filesystem::path& proc = "/proc");

// Errors: NotFound when the process is gone, PermissionDenied for a foreign one's status. An
// unreadable smaps_rollup, or one that is switched off, only leaves pss_file empty. `proc` is for
// tests.
Result<ProcessMemory> read_process_memory(int pid, const std::filesystem::path& proc = "/proc",
                                          const Mechanisms& without = {});

}  // namespace hf::readers
