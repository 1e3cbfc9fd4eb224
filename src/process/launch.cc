#include "process/launch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "process/child.h"

namespace hf::process {
namespace {

std::string& jail_program() {
  // Not a copy of the path: after an upgrade on disk this still is the program that runs.
  static std::string path = "/proc/self/exe";
  return path;
}

tl::unexpected<Error> system_failure(std::string_view what, int error) {
  Errc code = Errc::Io;
  if (error == ENOENT || error == ENOTDIR) {
    code = Errc::NotFound;
  } else if (error == EACCES || error == EPERM) {
    code = Errc::PermissionDenied;
  } else if (error == EMFILE || error == ENFILE || error == EAGAIN || error == ENOMEM) {
    code = Errc::ResourceExhausted;
  }
  return fail(code, fmt::format("{}: {}", what, std::generic_category().message(error)), error);
}

Status check_executable(const std::string& program) {
  struct stat info {};
  if (::stat(program.c_str(), &info) != 0) {
    return system_failure(program, errno);
  }
  if (!S_ISREG(info.st_mode)) {
    return system_failure(program, EACCES);
  }
  if (::access(program.c_str(), X_OK) != 0) {
    return system_failure(program, errno);
  }
  return {};
}

// If we were started with 0, 1 or 2 closed, a new descriptor could get such a number and be
// overwritten while the child's own 0, 1, 2 are put in place.
UniqueFd above_stdio(UniqueFd fd) {
  if (fd.get() > 2) {
    return fd;
  }
  return UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
}

struct Ends {
  UniqueFd ours;
  UniqueFd child;
  [[nodiscard]] bool valid() const { return ours.valid() && child.valid(); }
};

// A socket pair instead of a pipe: writing to a dead child must give EPIPE, not SIGPIPE.
Ends input_ends() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    return {};
  }
  return Ends{above_stdio(UniqueFd(fds[0])), above_stdio(UniqueFd(fds[1]))};
}

Ends output_ends() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) {
    return {};
  }
  Ends ends{above_stdio(UniqueFd(fds[0])), above_stdio(UniqueFd(fds[1]))};
  if (ends.valid()) {
    // Only our end: the child's own writes must wait, not fail.
    ::fcntl(ends.ours.get(), F_SETFL, O_NONBLOCK);
  }
  return ends;
}

class SpawnSettings {
 public:
  SpawnSettings(int in, int out, int err) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, in, 0);
    posix_spawn_file_actions_adddup2(&actions_, out, 1);
    posix_spawn_file_actions_adddup2(&actions_, err, 2);
    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_,
        static_cast<short>(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }

  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& text : strings) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

// Whoever started us may have left SIGCHLD ignored; that survives exec, and then the kernel reaps
// children itself and their exit status is lost.
void make_children_waitable() {
  struct sigaction now {};
  if (::sigaction(SIGCHLD, nullptr, &now) == 0 && now.sa_handler == SIG_IGN) {
    ::signal(SIGCHLD, SIG_DFL);
  }
}

}  // namespace

void set_jail_program(std::string path) {
  jail_program() = std::move(path);
}

Result<Launched> launch(const std::string& program, const std::vector<std::string>& arguments,
                        const std::vector<std::string>& environment,
                        const Confinement& confinement) {
  if (Status executable = check_executable(program); !executable) {
    return fail(std::move(executable).error());
  }
  make_children_waitable();
  Ends in = input_ends();
  Ends out = output_ends();
  Ends err = output_ends();
  if (!in.valid() || !out.valid() || !err.valid()) {
    return system_failure("pipes to a child", errno);
  }

  std::vector<std::string> words{"holdfast", "jail", "--parent", std::to_string(::getpid())};
  const Fence& fence = confinement.fence;
  if (fence.data) {
    words.insert(words.end(), {"--data", std::to_string(fence.data->count)});
  }
  if (!fence.cgroup.empty()) {
    words.insert(words.end(), {"--cgroup", fence.cgroup});
  }
  if (confinement.supervised) {
    words.insert(words.end(), {"--supervise", "yes"});
  }
  words.insert(words.end(), {"--", program});
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables = environment;
  const std::vector<char*> argv = pointers_to(words);
  const std::vector<char*> envp = pointers_to(variables);
  const SpawnSettings settings(in.child.get(), out.child.get(), err.child.get());

  Launched launched;
  const int failed = ::posix_spawn(&launched.pid, jail_program().c_str(), settings.actions(),
                                   settings.attributes(), argv.data(), envp.data());
  if (failed != 0) {
    return system_failure(jail_program(), failed);
  }
  launched.pidfd = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, launched.pid, 0)));
  if (!launched.pidfd.valid()) {
    const int error = errno;
    ::kill(-launched.pid, SIGKILL);
    ::waitpid(launched.pid, nullptr, 0);
    return system_failure("pidfd_open", error);
  }
  launched.input = std::move(in.ours);
  launched.out = std::move(out.ours);
  launched.err = std::move(err.ours);
  return launched;
}

}  // namespace hf::process
