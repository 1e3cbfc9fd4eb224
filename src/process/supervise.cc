#include "process/supervise.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "process/memory_signs.h"

namespace hf::process {
namespace {

constexpr int kCannotRun = 127;
// What the program left running may put its things in order that long. Memory on a card is given
// back by whoever holds it, so a worker that is about to end should not be killed.
constexpr long kLeftoversMs = 1000;
// While everything is being killed, those who were started meanwhile are looked for so often; after
// a second of that something hangs in the kernel, and less often will do.
constexpr long kKillAgainMs = 20;
constexpr long kKillSeldomMs = 500;
constexpr int kKillOften = 50;

int refuse(const char* what) {
  ::dprintf(STDERR_FILENO, "holdfast jail: %s: %s\n", what, std::strerror(errno));
  return kCannotRun;
}

// The parent of a process, from /proc/PID/stat; 0 if it has gone.
pid_t parent_of(const char* number) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%.16s/stat", number);
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return 0;
  }
  char text[512];
  const ssize_t length = ::read(file, text, sizeof text - 1);
  ::close(file);
  if (length <= 0) {
    return 0;
  }
  text[length] = '\0';
  // "PID (name) state parent …": the name may hold anything, also brackets.
  const char* after_name = std::strrchr(text, ')');
  char state = 0;
  int parent = 0;
  return after_name != nullptr && std::sscanf(after_name + 1, " %c %d", &state, &parent) == 2
             ? parent
             : 0;
}

// Only to our own children: their numbers stay taken until we reap them, so nobody else can be
// meant. Whose parent dies becomes our child, so the next round finds it.
void signal_children(int number) {
  DIR* processes = ::opendir("/proc");
  if (processes == nullptr) {
    return;
  }
  const pid_t self = ::getpid();
  while (const dirent* entry = ::readdir(processes)) {
    const int pid = std::atoi(entry->d_name);
    if (pid > 0 && parent_of(entry->d_name) == self) {
      ::kill(pid, number);
    }
  }
  ::closedir(processes);
}

[[noreturn]] void become(char** command, pid_t supervisor, const sigset_t& signals_before) {
  ::setsid();  // its own process group, and no terminal
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != supervisor) {
    ::_exit(kCannotRun);
  }
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing >= 0) {
    ::dup2(nothing, STDIN_FILENO);
    if (nothing > STDERR_FILENO) {
      ::close(nothing);
    }
  }
  // Advice to the kernel only. The supervisor keeps the server's score: it must be the last to go.
  static_cast<void>(set_oom_score(::getpid(), kOomScoreLoading));
  ::sigprocmask(SIG_SETMASK, &signals_before, nullptr);
  ::execve(command[0], command, environ);
  ::_exit(refuse(command[0]));
}

class Supervisor {
 public:
  Supervisor(pid_t leader, pid_t server) : leader_(leader), server_(server) {}

  // The leader's wait status, once nothing is left.
  int watch(const sigset_t& signals) {
    while (reap_all()) {
      act(wait_for_signal(signals));
    }
    return status_;
  }

 private:
  enum class Phase { Running, Leftovers, Killing };

  // False: no child is left.
  bool reap_all() {
    for (;;) {
      siginfo_t ended{};
      // A look first: while the leader is not reaped its number is that of its group.
      if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0) {
        return errno == EINTR;
      }
      if (ended.si_pid == 0) {
        return true;
      }
      if (ended.si_pid == leader_) {
        signal_group(phase_ == Phase::Killing ? SIGKILL : SIGTERM);
      }
      int status = 0;
      ::waitpid(ended.si_pid, &status, 0);
      if (ended.si_pid == leader_) {
        leader_ = 0;
        status_ = status;
        begin_leftovers();
      }
    }
  }

  int wait_for_signal(const sigset_t& signals) {
    if (phase_ == Phase::Running) {
      return ::sigwaitinfo(&signals, nullptr);
    }
    long pause_ms = kKillAgainMs;
    if (phase_ == Phase::Killing && ++rounds_ > kKillOften) {
      pause_ms = kKillSeldomMs;
    }
    const timespec pause{0, pause_ms * 1'000'000};
    return ::sigtimedwait(&signals, nullptr, &pause);
  }

  void act(int number) {
    if (number == kEndNow || ::getppid() != server_) {
      phase_ = Phase::Killing;
    } else if (number == kAskToEnd) {
      signal_group(SIGTERM);
      signal_group(SIGCONT);  // a stopped program acts, too
    }
    if (phase_ == Phase::Leftovers && now_ms() >= kill_at_ms_) {
      phase_ = Phase::Killing;
    }
    if (phase_ == Phase::Killing) {
      signal_group(SIGKILL);
      signal_children(SIGKILL);
    }
  }

  void begin_leftovers() {
    if (phase_ != Phase::Running) {
      return;
    }
    phase_ = Phase::Leftovers;
    kill_at_ms_ = now_ms() + kLeftoversMs;
    signal_children(SIGTERM);  // those outside the group
  }

  void signal_group(int number) const {
    // Before it has made its group there is nobody but itself.
    if (leader_ != 0 && ::kill(-leader_, number) != 0) {
      ::kill(leader_, number);
    }
  }

  static long now_ms() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<long>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
  }

  pid_t leader_;  // 0 once it has been reaped
  const pid_t server_;
  Phase phase_ = Phase::Running;
  long kill_at_ms_ = 0;
  int rounds_ = 0;  // of killing
  int status_ = 0;
};

// Our own end is the program's, so that the server sees how it died.
int end_like(int status) {
  if (!WIFSIGNALED(status)) {
    return WEXITSTATUS(status);
  }
  const int number = WTERMSIG(status);
  ::signal(number, SIG_DFL);
  sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, number);
  ::kill(::getpid(), number);
  ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
  return 128 + number;  // as shells say it, should the signal not have ended us
}

}  // namespace

int supervise(char** command, int server) {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    return refuse("PR_SET_CHILD_SUBREAPER");
  }
  // SIGINT and SIGHUP are kept off and never taken: they are the server's to answer.
  sigset_t signals;
  sigset_t before;
  ::sigemptyset(&signals);
  for (const int number : {kAskToEnd, kEndNow, kServerGone, SIGCHLD, SIGINT, SIGHUP}) {
    ::sigaddset(&signals, number);
  }
  ::sigprocmask(SIG_BLOCK, &signals, &before);
  ::sigdelset(&signals, SIGINT);
  ::sigdelset(&signals, SIGHUP);
  if (::getppid() != server) {
    return kCannotRun;  // it died before its signal would have been kept
  }
  const pid_t self = ::getpid();
  const pid_t leader = ::fork();
  if (leader < 0) {
    return refuse("fork");
  }
  if (leader == 0) {
    become(command, self, before);
  }
  // Without the ends of a program that was one: nothing of it was begun.
  ::_exit(end_like(Supervisor(leader, server).watch(signals)));
}

}  // namespace hf::process
