#pragma once
// What an engine program can do, asked of it once: its version and the options its --help names.
// Why: v0.5.0 of llama-server replaced --no-mmap by --load-mode, and other renames will follow; a
// flag it does not know makes it exit at once. Blocking: at start or on the thread for blocking
// work.

#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hf::process {

struct EngineTraits {
  std::string path;
  std::string version;  // "0.5.0-dev (build 1, commit de3ff81)"; empty if it does not say
  std::set<std::string, std::less<>> flags;  // "--load-mode", "-m", …

  [[nodiscard]] bool has(std::string_view flag) const { return flags.contains(flag); }
};

// The options a help text names: words that begin with "-" at the beginning of lines that do so.
std::set<std::string, std::less<>> parse_help_flags(std::string_view help);
// What follows "version:" on the first line that begins so.
std::string parse_version(std::string_view text);

// Runs `PATH --help` and `PATH --version`, `deadline` for both together.
// Errors: NotFound, PermissionDenied (not an executable file), Timeout, Unsupported (it ran, but
// its help names neither --model nor --host), Io.
Result<EngineTraits> probe_engine(const std::string& path,
                                  std::chrono::milliseconds deadline = std::chrono::seconds(10));

// The names of what it can compute on beside the CPU ("CUDA0", "Vulkan1"), in its order: the lines
// under "Available devices:".
std::vector<std::string> parse_devices(std::string_view text);

// Runs `PATH --list-devices` with `environment`, which decides what it sees. Slow where it wakes a
// driver. Errors: as probe_engine; Unsupported if it does not list devices.
Result<std::vector<std::string>> probe_devices(const EngineTraits& engine,
                                               const std::vector<std::string>& environment,
                                               std::chrono::milliseconds deadline);

}  // namespace hf::process
