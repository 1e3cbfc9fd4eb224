#include "process/child.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "process/health_poll.h"
#include "process/launch.h"
#include "process/lines.h"
#include "process/memory_signs.h"
#include "process/output_stream.h"
#include "process/state_line.h"
#include "process/supervise.h"

namespace hf::process {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// A stock server ends within 310 ms of its exit line; one that has not after this gets SIGTERM as
// well. One case is known: it says that it is ready just before it enters its loop, and an order to
// end that arrives in between is lost.
constexpr auto kExitLineGrace = 500ms;
// A supervisor that could not end everything within this hangs itself. What it has to end may need
// a while: memory on cards is given back first.
constexpr auto kSupervisorGrace = 10s;
// How long the destructor waits for a child it had to kill; after that the kernel's death signal to
// the children of a dead thread is all that is left.
constexpr int kLastReapMs = 1000;

class EngineChild final : public Child, public std::enable_shared_from_this<EngineChild> {
 public:
  EngineChild(asio::io_context& io, ChildSpec spec, ChildEvents events)
      : io_(io),
        spec_(std::move(spec)),
        events_(std::move(events)),
        ended_(io),
        load_timer_(io),
        stop_timer_(io),
        end_timer_(io),
        speeds_(spec_.prompts_only),
        health_(io,
                {spec_.socket_path, spec_.port, spec_.readiness,
                 [this] { return !spec_.readiness.is_own || spec_.readiness.is_own(pid_); }},
                [this] { handle_healthy(); }) {}

  ~EngineChild() override;

  void start();

  [[nodiscard]] int pid() const override { return pid_; }
  [[nodiscard]] bool ready() const override { return phase_ == Phase::Ready; }
  void stop() override;
  void kill() override;

 private:
  enum class Phase { Loading, Ready, Stopping, Gone };

  void adopt(Launched launched);
  void handle_out_line(std::string_view line);
  void handle_log_line(std::string_view line);
  void handle_healthy();
  void handle_load_deadline();
  void watch_end();
  [[nodiscard]] bool is_zombie();
  void handle_end();
  void begin_stop();
  void arm_sigterm_after_exit_line();
  void signal_leader(int number);
  void kill_group();
  void kill_at_once();
  [[nodiscard]] bool reap(ChildExit& exit);
  [[nodiscard]] bool ran_out_of_memory(const ChildExit& exit) const;
  void report_spawn_failure(int error);
  void report(ChildExit exit);
  void remove_own_cgroup() const;
  void remove_socket() const;

  asio::io_context& io_;
  ChildSpec spec_;
  ChildEvents events_;
  int pid_ = 0;
  UniqueFd input_;
  asio::posix::stream_descriptor ended_;  // the pidfd
  asio::steady_timer load_timer_;
  asio::steady_timer stop_timer_;
  asio::steady_timer end_timer_;
  std::optional<OutputStream> out_;
  std::optional<OutputStream> err_;
  SpeedMeter speeds_;
  HealthPoll health_;
  LogTail tail_;
  std::optional<std::uint64_t> oom_kills_at_start_;
  Phase phase_ = Phase::Loading;
  bool said_ready_ = false;  // by a state line; then it also understands the exit line
  bool was_ready_ = false;
  bool asked_to_stop_ = false;
  bool load_timed_out_ = false;
  bool we_killed_ = false;
};

void EngineChild::start() {
  if (spec_.socket_path.size() >= sizeof(sockaddr_un::sun_path)) {
    tail_.append(spec_.socket_path + ": longer than a unix socket's path may be");
    report_spawn_failure(ENAMETOOLONG);
    return;
  }
  oom_kills_at_start_ = read_oom_kills();
  const Confinement confinement{spec_.fence, spec_.supervised};
  Result<Launched> launched = launch(spec_.engine, spec_.arguments, spec_.environment, confinement);
  if (!launched) {
    tail_.append(launched.error().message);
    report_spawn_failure(launched.error().sys_errno);
    return;
  }
  adopt(std::move(*launched));
}

void EngineChild::adopt(Launched launched) {
  const std::shared_ptr<EngineChild> self = shared_from_this();
  pid_ = launched.pid;
  input_ = std::move(launched.input);
  out_.emplace(io_, std::move(launched.out),
               [this](std::string_view line) { handle_out_line(line); });
  err_.emplace(io_, std::move(launched.err),
               [this](std::string_view line) { handle_log_line(line); });
  out_->start(self);
  err_->start(self);
  ended_.assign(launched.pidfd.release());
  watch_end();
  load_timer_.expires_after(spec_.load_deadline);
  load_timer_.async_wait([self](const boost::system::error_code& error) {
    if (!error) {
      self->handle_load_deadline();
    }
  });
  health_.start(self);
}

void EngineChild::handle_out_line(std::string_view line) {
  const std::optional<StateLine> state = spec_.supervised ? std::nullopt : parse_state_line(line);
  if (!state) {
    handle_log_line(line);
    return;
  }
  switch (state->state) {
    case StateLine::State::Loading:
      health_.ask_seldom();
      if (phase_ == Phase::Loading && events_.on_progress) {
        events_.on_progress(state->fraction);
      }
      break;
    case StateLine::State::Ready:
      said_ready_ = true;
      health_.ask_now();
      break;
    case StateLine::State::Other:
      break;
  }
}

void EngineChild::handle_log_line(std::string_view line) {
  tail_.append(line);
  if (events_.on_log) {
    events_.on_log(std::string(line));
  }
  if (events_.on_speed) {
    if (const std::optional<Speed> speed = speeds_.read(line)) {
      events_.on_speed(*speed);
    }
  }
}

void EngineChild::handle_healthy() {
  if (phase_ != Phase::Loading) {
    return;
  }
  phase_ = Phase::Ready;
  was_ready_ = true;
  load_timer_.cancel();
  if (events_.on_ready) {
    events_.on_ready();
  }
}

void EngineChild::handle_load_deadline() {
  if (phase_ != Phase::Loading) {
    return;
  }
  load_timed_out_ = true;
  begin_stop();
}

void EngineChild::stop() {
  if (phase_ == Phase::Gone || pid_ == 0) {
    return;
  }
  asked_to_stop_ = true;
  if (phase_ != Phase::Stopping) {
    begin_stop();
  }
}

void EngineChild::kill() {
  if (phase_ == Phase::Gone || pid_ == 0) {
    return;
  }
  asked_to_stop_ = true;
  phase_ = Phase::Stopping;
  health_.stop();
  load_timer_.cancel();
  stop_timer_.cancel();
  kill_group();
}

void EngineChild::begin_stop() {
  phase_ = Phase::Stopping;
  health_.stop();
  load_timer_.cancel();
  // Best effort: a full or closed input only means that the signals have to do. A supervised one
  // never reads it.
  static_cast<void>(
      ::send(input_.get(), kExitCommand.data(), kExitCommand.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
  if (said_ready_) {
    signal_leader(SIGCONT);
    arm_sigterm_after_exit_line();
    return;
  }
  signal_leader(SIGTERM);
  signal_leader(SIGCONT);
  stop_timer_.expires_after(spec_.stop_deadline);
  stop_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) {
      self->kill_group();
    }
  });
}

void EngineChild::arm_sigterm_after_exit_line() {
  const auto grace = std::min<std::chrono::milliseconds>(kExitLineGrace, spec_.stop_deadline / 2);
  stop_timer_.expires_after(grace);
  stop_timer_.async_wait([self = shared_from_this(), left = spec_.stop_deadline - grace](
                             const boost::system::error_code& error) {
    if (error) {
      return;
    }
    self->signal_leader(SIGTERM);
    self->signal_leader(SIGCONT);
    self->stop_timer_.expires_after(left);
    self->stop_timer_.async_wait([self](const boost::system::error_code& late_error) {
      if (!late_error) {
        self->kill_group();
      }
    });
  });
}

void EngineChild::signal_leader(int number) {
  // By pidfd: the number cannot have become another process's. ESRCH (already a zombie) is no
  // error.
  if (pid_ != 0) {
    ::syscall(SYS_pidfd_send_signal, ended_.native_handle(), number, nullptr, 0);
  }
}

void EngineChild::kill_group() {
  if (pid_ == 0) {
    return;
  }
  we_killed_ = true;
  if (!spec_.supervised) {
    return kill_at_once();
  }
  // The supervisor does it, because it knows who there is.
  signal_leader(kEndNow);
  signal_leader(SIGCONT);
  stop_timer_.expires_after(kSupervisorGrace);
  stop_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) {
      self->kill_at_once();
    }
  });
}

void EngineChild::kill_at_once() {
  // Its group's number is its pid, which stays taken until the reap, so this cannot hit anybody
  // else.
  if (pid_ != 0) {
    signal_leader(SIGKILL);
    ::kill(-pid_, SIGKILL);
  }
}

bool EngineChild::reap(ChildExit& exit) {
  int status = 0;
  rusage usage{};
  if (::wait4(pid_, &status, WNOHANG, &usage) != pid_) {
    return false;
  }
  exit.kind = WIFSIGNALED(status) ? ExitKind::Signalled : ExitKind::Exited;
  exit.code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
  exit.peak_memory = usage.ru_maxrss * kKiB;  // Source: getrusage(2), kilobytes on Linux
  return true;
}

bool EngineChild::ran_out_of_memory(const ChildExit& exit) const {
  if (exit.kind == ExitKind::Exited && exit.code == 0) {
    return false;
  }
  if (tail_.says_out_of_memory()) {
    return true;
  }
  if (!spec_.fence.cgroup.empty() && cgroup_oom_kills(spec_.fence.cgroup) > 0) {
    return true;
  }
  if (exit.kind != ExitKind::Signalled || exit.code != SIGKILL || we_killed_) {
    return false;
  }
  const std::optional<std::uint64_t> now = read_oom_kills();
  return now && oom_kills_at_start_ && *now > *oom_kills_at_start_;
}

void EngineChild::watch_end() {
  ended_.async_wait(asio::posix::stream_descriptor::wait_read,
                    [self = shared_from_this()](const boost::system::error_code& error) {
                      HF_ASSERT(!error, "a pidfd can be waited for until the reap closes it");
                      self->handle_end();
                    });
}

// Readable is the kernel's hint, a zombie is the proof: under load the hint was seen a moment
// early, for a child that had just crashed. Nothing may be killed on a hint.
bool EngineChild::is_zombie() {
  siginfo_t info{};
  const auto fd = static_cast<id_t>(ended_.native_handle());
  return ::waitid(P_PIDFD, fd, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_;
}

void EngineChild::handle_end() {
  if (!is_zombie()) {
    end_timer_.expires_after(std::chrono::milliseconds(1));
    end_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) {
        self->watch_end();
      }
    });
    return;
  }
  // The zombie still holds the group's number: whatever it left behind in its group goes now.
  ::kill(-pid_, SIGKILL);
  out_->finish();
  err_->finish();
  ChildExit exit;
  const bool reaped = reap(exit);
  HF_ASSERT(reaped, "a zombie of ours can be reaped");
  pid_ = 0;
  ended_.close();
  input_.reset();
  remove_socket();
  exit.out_of_memory = ran_out_of_memory(exit);
  report(std::move(exit));
}

void EngineChild::report_spawn_failure(int error) {
  asio::post(io_, [self = shared_from_this(), error] {
    ChildExit exit;
    exit.kind = ExitKind::SpawnFailed;
    exit.code = error;
    self->report(std::move(exit));
  });
}

void EngineChild::report(ChildExit exit) {
  HF_ASSERT(phase_ != Phase::Gone, "a child ends once");
  phase_ = Phase::Gone;
  health_.stop();
  load_timer_.cancel();
  stop_timer_.cancel();
  remove_own_cgroup();
  exit.hit_fence = exit.out_of_memory && !spec_.fence.off();
  exit.was_ready = was_ready_;
  exit.load_timed_out = load_timed_out_;
  exit.last_status = health_.last_status();
  exit.other_answered = health_.other_answered();
  exit.asked_to_stop = asked_to_stop_;
  exit.log_tail = tail_.text();
  // Taken out first: what the callbacks hold may hold us.
  const ChildEvents events = std::exchange(events_, {});
  if (events.on_exit) {
    events.on_exit(exit);
  }
}

void EngineChild::remove_own_cgroup() const {
  if (spec_.fence.cgroup.empty()) {
    return;
  }
  if (spec_.supervised) {
    kill_cgroup(spec_.fence.cgroup);  // nobody, unless the supervisor itself was killed
  }
  remove_cgroup(spec_.fence.cgroup);
}

void EngineChild::remove_socket() const {
  if (!spec_.socket_path.empty()) {
    ::unlink(spec_.socket_path.c_str());
  }
}

EngineChild::~EngineChild() {
  // Only when the loop went away before the child did: nothing we started may outlive us.
  if (pid_ == 0) {
    return;
  }
  pollfd waiting{ended_.native_handle(), POLLIN, 0};
  if (spec_.supervised) {
    signal_leader(kEndNow);
    signal_leader(SIGCONT);
    ::poll(&waiting, 1, kLastReapMs);
  }
  kill_at_once();
  ::poll(&waiting, 1, kLastReapMs);
  ChildExit ignored;
  static_cast<void>(reap(ignored));
  remove_own_cgroup();
  remove_socket();
}

}  // namespace

std::shared_ptr<Child> Child::spawn(asio::io_context& io, ChildSpec spec, ChildEvents events) {
  auto child = std::make_shared<EngineChild>(io, std::move(spec), std::move(events));
  child->start();
  return child;
}

}  // namespace hf::process
