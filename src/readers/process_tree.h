#pragma once
// A process with everything below it. Why: an engine of kind `command` may do its work in processes
// of its own, and what it holds is what all of them hold together. Any thread, but off the event
// loop: all of /proc is looked through.

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/mechanism.h"
#include "base/result.h"

namespace hf::readers {

struct ProcessParent {
  int parent = 0;
  bool ended = false;  // it only waits to be reaped

  bool operator==(const ProcessParent&) const = default;
};

// The text of /proc/PID/stat; nullopt if it is not of that form. Source: proc(5).
std::optional<ProcessParent> parse_process_stat(std::string_view text);

// None if it is gone.
std::optional<int> parent_of(int pid, const std::filesystem::path& proc = "/proc");

// The process and its living descendants, itself first; empty if it is gone. Whose parent has gone
// belongs to the next subreaper (process/supervise.h), so none of a supervised one is missed.
std::vector<int> process_tree(int root, const std::filesystem::path& proc = "/proc");

struct TreeMemory {
  std::vector<int> pids;
  // What unloading all of them would give back: pages that they share with each other count once,
  // pages that others have, too, by their share (Pss). Where the kernel does not tell shares:
  // everything resident in each.
  Bytes resident;
};

// Errors: NotFound when the process is gone.
Result<TreeMemory> read_tree_memory(int root, const std::filesystem::path& proc = "/proc",
                                    const Mechanisms& without = {});

}  // namespace hf::readers
