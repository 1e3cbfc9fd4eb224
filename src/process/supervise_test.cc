// A program that starts others is ended with all of them, whatever they do and whoever dies first.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sstream>

#include "process/child_fixture.h"

namespace hf::process {
namespace {

using namespace std::chrono_literals;

// The helper's family: its head, and three that ignore SIGTERM: one in its group, one in a session
// of its own, one whose parent has gone.
constexpr std::size_t kFamily = 4;

class SuperviseTest : public ChildFixture {
 protected:
  [[nodiscard]] ChildSpec supervised() const {
    ChildSpec made = spec();
    made.environment = {"LANG=C.UTF-8"};
    made.supervised = true;
    return made;
  }
  [[nodiscard]] ChildSpec shell(const std::string& script) const {
    ChildSpec made = supervised();
    made.engine = "/bin/sh";
    made.arguments = {"-c", script};
    return made;
  }
  [[nodiscard]] std::string list() const { return directory_.file("family"); }
  [[nodiscard]] ChildSpec family() const {
    ChildSpec made = supervised();
    made.engine = HF_TEST_HELPER;
    made.arguments = {"family", list()};
    return made;
  }
  [[nodiscard]] std::vector<int> members() const {
    std::istringstream numbers(read_text(list()));
    std::vector<int> pids;
    for (int pid = 0; numbers >> pid;) {
      pids.push_back(pid);
    }
    return pids;
  }
  // The head first.
  std::vector<UniqueFd> spawn_family() {
    spawn(family());
    return wait_for_family();
  }
  std::vector<UniqueFd> wait_for_family() {
    EXPECT_TRUE(run_until([this] { return members().size() == kFamily; }));
    std::vector<UniqueFd> pidfds;
    for (const int pid : members()) {
      pidfds.push_back(pidfd_of(pid));
      EXPECT_TRUE(pidfds.back().valid());
    }
    return pidfds;
  }
  static void expect_all_gone(const std::vector<UniqueFd>& pidfds) {
    for (const UniqueFd& pidfd : pidfds) {
      pollfd now{pidfd.get(), POLLIN, 0};
      EXPECT_EQ(::poll(&now, 1, 0), 1) << "still there when the child was reported to have ended";
    }
  }

  // A server in miniature with a supervised family, which is then killed.
  void kill_server_and_expect_all_gone(bool stop_supervisor) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe2(pipe_ends, O_CLOEXEC), 0);
    const UniqueFd read_end(pipe_ends[0]);
    UniqueFd write_end(pipe_ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, write_end.get(), 1);
    std::vector<std::string> words{"helper", "supervisor", list()};
    std::vector<char*> argv;
    for (std::string& word : words) {
      argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    pid_t server = 0;
    ASSERT_EQ(::posix_spawn(&server, HF_TEST_HELPER, &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    write_end.reset();
    char text[32] = {};
    ASSERT_GT(::read(read_end.get(), text, sizeof text - 1), 0);
    const int supervisor = std::atoi(text);
    const std::vector<UniqueFd> pidfds = wait_for_family();
    if (stop_supervisor) {
      ASSERT_EQ(::kill(supervisor, SIGSTOP), 0);
    }
    ASSERT_EQ(::kill(server, SIGKILL), 0);
    ASSERT_EQ(::waitpid(server, nullptr, 0), server);
    for (const UniqueFd& pidfd : pidfds) {
      EXPECT_TRUE(ends(pidfd));
    }
  }
};

TEST_F(SuperviseTest, AProgramBecomesReadyAndEndsBySigterm) {
  ASSERT_TRUE(spawn_until_ready(supervised()));
  EXPECT_NE(stub_number("pid"), child_->pid()) << "the supervisor stands between";
  child_->stop();
  ASSERT_TRUE(run_until_exit());
  EXPECT_TRUE(stub_logged("sigterm"));
  EXPECT_FALSE(stub_logged("exit_line"));
  EXPECT_EQ(exits_[0].kind, ExitKind::Exited);
  EXPECT_EQ(exits_[0].code, 0);
  EXPECT_TRUE(exits_[0].asked_to_stop);
  EXPECT_FALSE(std::filesystem::exists(socket()));
  run_out();
}

TEST_F(SuperviseTest, EndsAsItsProgramEnded) {
  spawn(shell("echo last words >&2; exit 7"));
  ASSERT_TRUE(run_until_exit());
  EXPECT_EQ(exits_[0].kind, ExitKind::Exited);
  EXPECT_EQ(exits_[0].code, 7);
  EXPECT_EQ(exits_[0].log_tail, "last words\n");
  spawn(shell("kill -SEGV $$"));
  ASSERT_TRUE(run_until([this] { return exits_.size() == 2; }));
  EXPECT_EQ(exits_[1].kind, ExitKind::Signalled);
  EXPECT_EQ(exits_[1].code, SIGSEGV);
  spawn(shell("kill -KILL $$"));
  ASSERT_TRUE(run_until([this] { return exits_.size() == 3; }));
  EXPECT_EQ(exits_[2].kind, ExitKind::Signalled);
  EXPECT_EQ(exits_[2].code, SIGKILL);
}

TEST_F(SuperviseTest, GivesItsProgramAnEmptyInputAndNoBlockedSignals) {
  spawn(shell("cat; grep SigBlk /proc/self/status; ls /proc/self/fd | wc -l"));
  ASSERT_TRUE(run_until_exit());
  EXPECT_EQ(exits_[0].log_tail, "SigBlk:\t0000000000000000\n4\n");  // 0, 1, 2, and the folder
}

TEST_F(SuperviseTest, APrintedStateLineIsLogOnly) {
  spawn(shell("echo 'cmd_child_to_router:state:{\"state\":\"ready\",\"payload\":{}}'; exit 0"));
  ASSERT_TRUE(run_until_exit());
  EXPECT_EQ(log_.size(), 1U);
  EXPECT_EQ(ready_count_, 0);
}

TEST_F(SuperviseTest, StopEndsTheWholeFamily) {
  const std::vector<UniqueFd> pidfds = spawn_family();
  child_->stop();
  ASSERT_TRUE(run_until_exit());
  expect_all_gone(pidfds);
  EXPECT_EQ(exits_[0].kind, ExitKind::Signalled);
  EXPECT_EQ(exits_[0].code, SIGTERM);
  run_out();
}

TEST_F(SuperviseTest, KillEndsTheWholeFamily) {
  const std::vector<UniqueFd> pidfds = spawn_family();
  child_->kill();
  ASSERT_TRUE(run_until_exit());
  expect_all_gone(pidfds);
  EXPECT_EQ(exits_[0].code, SIGKILL);
  EXPECT_FALSE(exits_[0].out_of_memory);
  run_out();
}

TEST_F(SuperviseTest, TheStopDeadlineEndsWhoIgnoresIt) {
  ChildSpec stubborn =
      shell("trap '' TERM; (trap '' TERM; sleep 1000) & echo up; while :; do sleep 1; done");
  stubborn.stop_deadline = 60ms;
  spawn(stubborn);
  ASSERT_TRUE(run_until([this] { return !log_.empty(); }));
  child_->stop();
  ASSERT_TRUE(run_until_exit());
  EXPECT_EQ(exits_[0].kind, ExitKind::Signalled);
  EXPECT_EQ(exits_[0].code, SIGKILL);
}

TEST_F(SuperviseTest, TheFamilyEndsWithItsHead) {
  const std::vector<UniqueFd> pidfds = spawn_family();
  ASSERT_EQ(::kill(members().front(), SIGKILL), 0);
  ASSERT_TRUE(run_until_exit());
  expect_all_gone(pidfds);
  EXPECT_EQ(exits_[0].kind, ExitKind::Signalled);
  EXPECT_EQ(exits_[0].code, SIGKILL);
  EXPECT_FALSE(exits_[0].asked_to_stop);
}

TEST_F(SuperviseTest, AStoppedFamilyAndSupervisorEndAllTheSame) {
  const std::vector<UniqueFd> pidfds = spawn_family();
  for (const int pid : members()) {
    ASSERT_EQ(::kill(pid, SIGSTOP), 0);
  }
  ASSERT_EQ(::kill(child_->pid(), SIGSTOP), 0);
  child_->stop();
  ASSERT_TRUE(run_until_exit());
  expect_all_gone(pidfds);
}

TEST_F(SuperviseTest, TheFamilyEndsWithTheLoop) {
  const std::vector<UniqueFd> pidfds = spawn_family();
  child_.reset();
  io_.reset();
  for (const UniqueFd& pidfd : pidfds) {
    EXPECT_TRUE(ends(pidfd));
  }
}

TEST_F(SuperviseTest, TheFamilyEndsWithAServerThatIsKilled) {
  kill_server_and_expect_all_gone(false);
}

TEST_F(SuperviseTest, TheFamilyEndsWithAServerThatIsKilledEvenIfTheSupervisorIsStopped) {
  kill_server_and_expect_all_gone(true);
}

TEST_F(SuperviseTest, ReadyMeansSuccessWhereThatIsAskedFor) {
  ChildSpec strict = supervised();
  strict.arguments.insert(strict.arguments.end(), {"--slot-save-path", directory_.path() + "/"});
  strict.readiness = {"/slots/0", true};  // answers 400 to a request without a body
  strict.load_deadline = 300ms;
  spawn(strict);
  ASSERT_TRUE(run_until_exit());
  EXPECT_EQ(ready_count_, 0);
  EXPECT_TRUE(exits_[0].load_timed_out);
  EXPECT_EQ(exits_[0].last_status, 400);
  EXPECT_FALSE(exits_[0].other_answered);
  exits_.clear();
  strict.readiness.success_only = false;
  strict.load_deadline = kTestDeadline;
  EXPECT_TRUE(spawn_until_ready(strict));
}

TEST_F(SuperviseTest, SomebodyElsesAnswerDoesNotMakeItReady) {
  ChildSpec spec = supervised();
  spec.readiness.is_own = [](int) { return false; };
  spec.load_deadline = 300ms;
  spawn(spec);
  ASSERT_TRUE(run_until_exit());
  EXPECT_TRUE(exits_[0].load_timed_out);
  EXPECT_TRUE(exits_[0].other_answered);
  exits_.clear();
  int asked = 0;
  spec.readiness.is_own = [&asked, this](int pid) {
    EXPECT_EQ(pid, child_->pid());
    return ++asked == 2;
  };
  spec.load_deadline = kTestDeadline;
  EXPECT_TRUE(spawn_until_ready(spec));
  EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace hf::process
