#include "process/fence.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

#include "process/memory_signs.h"
#include "process/unique_fd.h"

namespace hf::process {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "holdfast-";
// What a probe asks for; it is never reached.
constexpr Bytes kProbeLimit = kGiB;
constexpr int kKillRounds = 100;

tl::unexpected<Error> system_failure(const fs::path& path, int error) {
  const Errc code =
      error == EACCES || error == EPERM || error == EROFS ? Errc::PermissionDenied : Errc::Io;
  return fail(code, fmt::format("{}: {}", path.string(), std::generic_category().message(error)),
              error);
}

// The kernel makes these files with the directory; elsewhere (a test) they are made here.
hf::Status write_file(const fs::path& path, const std::string& text) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!file.valid() || ::write(file.get(), text.data(), text.size()) < 0) {
    return system_failure(path, errno);
  }
  return {};
}

std::string read_text(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool lists_memory(const fs::path& path) {
  std::ifstream file(path);
  for (std::string word; file >> word;) {
    if (word == "memory") {
      return true;
    }
  }
  return false;
}

// Where our own cgroup is mounted: below `base` by its path, or `base` itself where the mounted
// tree begins at our own (inside a container).
fs::path place_of(const fs::path& base, const std::string& own) {
  std::error_code ignored;
  const fs::path whole = base / fs::path(own).relative_path();
  return fs::is_directory(whole, ignored) ? whole : base;
}

// Lets children of `home` have limits. Ours must not be among its processes then.
hf::Status enable_memory(const fs::path& home) {
  const fs::path control = home / "cgroup.subtree_control";
  if (lists_memory(control) || write_file(control, "+memory")) {
    return {};
  }
  const fs::path ctl = home / "ctl";
  std::error_code error;
  fs::create_directory(ctl, error);
  if (error) {
    return system_failure(ctl, error.value());
  }
  const std::string self = std::to_string(::getpid());
  hf::Status moved = write_file(ctl / "cgroup.procs", self);
  hf::Status enabled = moved ? write_file(control, "+memory") : moved;
  if (!enabled) {
    // Somebody else lives here too: back to where we were.
    static_cast<void>(write_file(home / "cgroup.procs", self));
    ::rmdir(ctl.c_str());
  }
  return enabled;
}

// "holdfast-PID-…": the server that made it.
std::optional<pid_t> maker_of(std::string_view name) {
  if (!name.starts_with(kPrefix)) {
    return std::nullopt;
  }
  name.remove_prefix(kPrefix.size());
  pid_t pid = 0;
  const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  const bool whole = error == std::errc{} && stop != name.data() + name.size() && *stop == '-';
  return whole && pid > 0 ? std::optional(pid) : std::nullopt;
}

bool lives(pid_t pid) {
  return ::kill(pid, 0) == 0 || errno != ESRCH;
}

}  // namespace

Result<MemoryCgroups> MemoryCgroups::open(const fs::path& mounted, const OwnCgroups& own) {
  hf::Status last =
      fail(Errc::Unsupported, "no memory controller of cgroups is mounted at " + mounted.string());
  const auto usable = [&last](MemoryCgroups cgroups) {
    cgroups.sweep();
    const auto probe = cgroups.make("probe", kProbeLimit);
    if (probe) {
      remove_cgroup(*probe);
      return true;
    }
    last = fail(probe.error());
    return false;
  };
  for (const fs::path& base : {mounted, mounted / "unified"}) {
    const fs::path home = place_of(base, own.unified.value_or("/"));
    if (!lists_memory(home / "cgroup.controllers")) {
      continue;
    }
    last = enable_memory(home);
    if (last && usable(MemoryCgroups(home, true))) {
      return MemoryCgroups(home, true);
    }
  }
  const fs::path home = place_of(mounted / "memory", own.v1_memory.value_or("/"));
  std::error_code ignored;
  if (fs::exists(home / "memory.limit_in_bytes", ignored) && usable(MemoryCgroups(home, false))) {
    return MemoryCgroups(home, false);
  }
  return fail(std::move(last).error());
}

Result<std::string> MemoryCgroups::make(const std::string& name, Bytes limit) {
  const fs::path directory = home_ / fmt::format("{}{}-{}", kPrefix, ::getpid(), name);
  std::error_code error;
  fs::create_directory(directory, error);
  if (error) {
    return system_failure(directory, error.value());
  }
  const std::string bytes = std::to_string(limit.count);
  hf::Status written =
      write_file(directory / (v2_ ? "memory.max" : "memory.limit_in_bytes"), bytes);
  if (!written) {
    ::rmdir(directory.c_str());
    return fail(std::move(written).error());
  }
  // Where swap is not counted there is no such file, and often no swap.
  const fs::path swap = directory / (v2_ ? "memory.swap.max" : "memory.memsw.limit_in_bytes");
  static_cast<void>(write_file(swap, v2_ ? "0" : bytes));
  return directory.string();
}

// Empty cgroups of servers that are gone; a busy one refuses to be removed.
void MemoryCgroups::sweep() const {
  std::error_code error;
  fs::directory_iterator entry(home_, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const auto maker = maker_of(entry->path().filename().string());
    if (maker && (*maker == ::getpid() || !lives(*maker))) {
      ::rmdir(entry->path().c_str());
    }
  }
}

std::uint64_t cgroup_oom_kills(const std::string& directory) {
  for (const char* name : {"memory.events", "memory.oom_control"}) {
    if (const auto kills = parse_oom_kills(read_text(fs::path(directory) / name))) {
      return *kills;
    }
  }
  return 0;
}

void kill_cgroup(const std::string& directory) {
  const fs::path home(directory);
  std::error_code ignored;
  if (fs::exists(home / "cgroup.kill", ignored)) {  // version 2 since Linux 5.14
    static_cast<void>(write_file(home / "cgroup.kill", "1"));
    return;
  }
  // Again for those who were started meanwhile.
  for (int round = 0; round < kKillRounds; ++round) {
    std::ifstream processes(home / "cgroup.procs");
    bool any = false;
    for (pid_t pid = 0; processes >> pid;) {
      if (pid > 0) {  // 0: it is not in our namespace
        any = true;
        ::kill(pid, SIGKILL);
      }
    }
    if (!any) {
      return;
    }
  }
}

void remove_cgroup(const std::string& directory) {
  ::rmdir(directory.c_str());
}

}  // namespace hf::process
