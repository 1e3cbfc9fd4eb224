#include "readers/process_tree.h"

#include <algorithm>
#include <map>
#include <string>
#include <system_error>

#include "readers/proc_file.h"
#include "readers/process_memory.h"

namespace hf::readers {
namespace {

namespace fs = std::filesystem;

Bytes resident_of(int pid, const fs::path& proc, const Mechanisms& without) {
  if (!without.has(Mechanism::SmapsRollup)) {
    const auto rollup = read_small_file(proc / std::to_string(pid) / "smaps_rollup");
    if (const auto pss = rollup ? find_kib(*rollup, "Pss") : std::nullopt) {
      return *pss;
    }
  }
  const auto status = read_process_status(pid, proc);
  return status ? status->resident() : Bytes();
}

}  // namespace

std::optional<ProcessParent> parse_process_stat(std::string_view text) {
  // "PID (name) state parent …": the name may hold blanks and brackets.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string_view::npos) {
    return std::nullopt;
  }
  const std::vector<std::string_view> words = words_of(text.substr(name_end + 1));
  const auto parent = words.size() > 1 ? parse_number(words[1]) : std::nullopt;
  if (!parent) {
    return std::nullopt;
  }
  const bool ended = words[0] == "Z" || words[0] == "X";
  return ProcessParent{static_cast<int>(*parent), ended};
}

std::optional<int> parent_of(int pid, const fs::path& proc) {
  const auto text = read_small_file(proc / std::to_string(pid) / "stat");
  const auto stat = text ? parse_process_stat(*text) : std::nullopt;
  return stat ? std::optional(stat->parent) : std::nullopt;
}

std::vector<int> process_tree(int root, const fs::path& proc) {
  std::multimap<int, int> children;
  bool there = false;
  std::error_code error;
  fs::directory_iterator entry(proc, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const auto pid = parse_number(entry->path().filename().string());
    const auto text = pid ? read_small_file(entry->path() / "stat") : fail(Errc::NotFound, "");
    const auto stat = text ? parse_process_stat(*text) : std::nullopt;
    if (stat && !stat->ended) {
      children.emplace(stat->parent, static_cast<int>(*pid));
      there = there || *pid == root;
    }
  }
  std::vector<int> tree;
  if (there) {
    tree.push_back(root);
  }
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const auto [begin, end] = children.equal_range(tree[i]);
    for (auto child = begin; child != end; ++child) {
      // Not atomic: a number that was given anew meanwhile must not lead in a circle.
      if (std::find(tree.begin(), tree.end(), child->second) == tree.end()) {
        tree.push_back(child->second);
      }
    }
  }
  return tree;
}

Result<TreeMemory> read_tree_memory(int root, const fs::path& proc, const Mechanisms& without) {
  TreeMemory memory;
  memory.pids = process_tree(root, proc);
  if (memory.pids.empty()) {
    return fail(Errc::NotFound, "process " + std::to_string(root) + " is gone");
  }
  for (const int pid : memory.pids) {
    memory.resident += resident_of(pid, proc, without);
  }
  return memory;
}

}  // namespace hf::readers
