// The hidden subcommand `holdfast jail --parent PID -- ENGINE ARGS…`: what posix_spawn cannot set,
// set by the child itself before it becomes the engine. It runs before anything else of main, so it
// must not depend on configuration or logging; what it says goes to standard error, which the
// parent keeps.

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "process/child.h"
#include "process/memory_signs.h"

namespace hf::process {
namespace {

constexpr int kCannotRun = 127;  // as shells say "command not found"

int refuse(const char* what, int error) {
  // strerror, not a C++ message: nothing else runs in this process.
  ::dprintf(STDERR_FILENO, "holdfast jail: %s: %s\n", what, std::strerror(error));
  return kCannotRun;
}

bool parse_pid(std::string_view text, pid_t& pid) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, pid);
  return error == std::errc{} && stop == end && pid > 0;
}

}  // namespace

int jail_main(int argc, char** argv) {
  pid_t parent = 0;
  if (argc < 5 || std::string_view(argv[1]) != "--parent" || !parse_pid(argv[2], parent) ||
      std::string_view(argv[3]) != "--") {
    ::dprintf(STDERR_FILENO, "holdfast jail: for holdfast's own use\n");
    return kCannotRun;
  }
  // Order: the signal first, then the look at the parent; the other way round a parent that dies in
  // between would be missed.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
    return refuse("PR_SET_PDEATHSIG", errno);
  }
  if (::getppid() != parent) {
    return refuse("the server that asked for this engine", ESRCH);
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return refuse("PR_SET_NO_NEW_PRIVS", errno);
  }
  // A core file would hold people's prompts.
  const rlimit no_core{0, 0};
  if (::setrlimit(RLIMIT_CORE, &no_core) != 0) {
    return refuse("RLIMIT_CORE", errno);
  }
  ::umask(077);  // its socket is for us alone
  // Advice to the kernel only, and some containers forbid it: an engine without it still serves.
  static_cast<void>(set_oom_score(::getpid(), kOomScoreLoading));
  if (::close_range(3, ~0U, 0) != 0) {
    return refuse("close_range", errno);
  }
  ::execve(argv[4], argv + 4, environ);
  return refuse(argv[4], errno);
}

}  // namespace hf::process
