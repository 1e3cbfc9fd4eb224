#include "readers/process_memory.h"

#include <string>

#include "readers/proc_file.h"

namespace hf::readers {

Result<ProcessMemory> parse_process_status(std::string_view text) {
  const auto anon = find_kib(text, "RssAnon");
  const auto file = find_kib(text, "RssFile");
  if (!anon || !file) {
    return fail(Errc::NotFound, "the process has no memory of its own any more");
  }
  ProcessMemory memory;
  memory.rss_anon = *anon;
  memory.rss_file = *file;
  memory.rss_shmem = find_kib(text, "RssShmem").value_or(Bytes());
  memory.high_water = find_kib(text, "VmHWM").value_or(*anon + *file);
  return memory;
}

std::optional<Bytes> parse_pss_file(std::string_view text) {
  return find_kib(text, "Pss_File");
}

Result<ProcessMemory> read_process_status(int pid, const std::filesystem::path& proc) {
  const std::filesystem::path directory = proc / std::to_string(pid);
  const auto status = read_small_file(directory / "status");
  if (!status) {
    return fail(status.error());
  }
  auto memory = parse_process_status(*status);
  if (!memory) {
    return fail(std::move(memory.error()).with_context(directory.string()));
  }
  return memory;
}

Result<ProcessMemory> read_process_memory(int pid, const std::filesystem::path& proc,
                                          const Mechanisms& without) {
  auto memory = read_process_status(pid, proc);
  if (!memory || without.has(Mechanism::SmapsRollup)) {
    return memory;
  }
  const std::filesystem::path directory = proc / std::to_string(pid);
  if (const auto rollup = read_small_file(directory / "smaps_rollup")) {
    memory->pss_file = parse_pss_file(*rollup);
  }
  return memory;
}

}  // namespace hf::readers
