#pragma once
// The two signs that a child ended because memory ran out: what it printed, and the kernel's count
// of out-of-memory kills. Why both: an engine whose allocation fails says so and exits; one that
// the kernel kills says nothing. Stateless, any thread.

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace hf::process {

// Phrases of ggml, CUDA, Vulkan, libstdc++ and libc for a failed allocation; case does not matter.
bool says_out_of_memory(std::string_view line);

// The line `oom_kill N` of /proc/vmstat. Source: Linux 4.13, mm/vmstat.c. Nothing if it is not
// there.
std::optional<std::uint64_t> parse_oom_kills(std::string_view vmstat);
// Reads the machine's own /proc/vmstat; nothing if that cannot be read.
std::optional<std::uint64_t> read_oom_kills();

// How soon the kernel should take this process when memory runs out: 0 as everybody, 1000 first.
// Requires: `pid` is a child of ours that has not been reaped, else the number may be another's.
// Errors: PermissionDenied, NotFound, Io. Source: proc(5), /proc/PID/oom_score_adj.
Status set_oom_score(int pid, int adjustment);

// The values by what the child does: an idle model goes before one that loads, that before a busy
// one.
inline constexpr int kOomScoreIdle = 800;
inline constexpr int kOomScoreLoading = 300;
inline constexpr int kOomScoreBusy = 100;

}  // namespace hf::process
