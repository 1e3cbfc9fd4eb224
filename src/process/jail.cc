// The hidden subcommand `holdfast jail --parent PID [--data BYTES] [--cgroup DIRECTORY]
// [--supervise yes] -- ENGINE ARGS…`: what posix_spawn cannot set, set by the child itself before
// it becomes the engine, or the engine's supervisor. It runs before anything else of main, so it
// must not depend on configuration or logging; what it says goes to standard error, which the
// parent keeps.

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "process/child.h"
#include "process/memory_signs.h"
#include "process/supervise.h"

namespace hf::process {
namespace {

constexpr int kCannotRun = 127;  // as shells say "command not found"

int refuse(const char* what, int error) {
  // strerror, not a C++ message: nothing else runs in this process.
  ::dprintf(STDERR_FILENO, "holdfast jail: %s: %s\n", what, std::strerror(error));
  return kCannotRun;
}

template <class Number>
bool parse(std::string_view text, Number& number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stop == end && number > 0;
}

struct Order {
  pid_t parent = 0;
  rlim_t data = 0;          // 0: no limit
  std::string_view cgroup;  // "": stays in the parent's
  bool supervise = false;
  char** engine = nullptr;  // the program and its arguments
};

// False: this was not written by launch().
bool parse_order(int argc, char** argv, Order& order) {
  for (int at = 1; at + 1 < argc; at += 2) {
    const std::string_view word = argv[at];
    const std::string_view value = argv[at + 1];
    if (word == "--") {
      order.engine = argv + at + 1;
      return order.parent > 0;
    }
    if (word == "--cgroup" && value.starts_with('/')) {
      order.cgroup = value;
    } else if (word == "--supervise" && value == "yes") {
      order.supervise = true;
    } else if (!(word == "--parent" && parse(value, order.parent)) &&
               !(word == "--data" && parse(value, order.data))) {
      return false;
    }
  }
  return false;
}

// Before the first page of the engine: what is taken later is charged to the cgroup it then is in.
bool enter_cgroup(std::string_view directory) {
  const std::string path = std::string(directory) + "/cgroup.procs";
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  return file >= 0 && ::write(file, "0", 1) == 1;  // 0: who writes it
}

}  // namespace

int jail_main(int argc, char** argv) {
  Order order;
  if (!parse_order(argc, argv, order)) {
    ::dprintf(STDERR_FILENO, "holdfast jail: for holdfast's own use\n");
    return kCannotRun;
  }
  // Order: the signal first, then the look at the parent; the other way round a parent that dies in
  // between would be missed.
  if (::prctl(PR_SET_PDEATHSIG, order.supervise ? kServerGone : SIGKILL) != 0) {
    return refuse("PR_SET_PDEATHSIG", errno);
  }
  if (::getppid() != order.parent) {
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
  if (!order.cgroup.empty() && !enter_cgroup(order.cgroup)) {
    return refuse("its memory cgroup", errno);
  }
  const rlimit data{order.data, order.data};
  if (order.data > 0 && ::setrlimit(RLIMIT_DATA, &data) != 0) {
    return refuse("RLIMIT_DATA", errno);
  }
  ::umask(077);  // its socket is for us alone
  if (::close_range(3, ~0U, 0) != 0) {
    return refuse("close_range", errno);
  }
  if (order.supervise) {
    return supervise(order.engine, order.parent);
  }
  // Advice to the kernel only, and some containers forbid it: an engine without it still serves.
  static_cast<void>(set_oom_score(::getpid(), kOomScoreLoading));
  ::execve(order.engine[0], order.engine, environ);
  return refuse(order.engine[0], errno);
}

}  // namespace hf::process
