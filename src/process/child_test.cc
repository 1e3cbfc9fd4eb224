#include "process/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "process/child_fixture.h"
#include "process/lines.h"
#include "process/memory_signs.h"

namespace hf::process {
namespace {

using testing::HasSubstr;
using testing::Not;

bool accepts(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
}

class ChildTest : public ChildFixture {};

TEST_F(ChildTest, IsReadyThenStopsAndLeavesNothing) {
  ASSERT_TRUE(spawn_until_ready(spec()));
  EXPECT_TRUE(child_->ready());
  EXPECT_GT(child_->pid(), 0);
  EXPECT_TRUE(accepts(socket()));
  ASSERT_FALSE(progress_.empty());
  EXPECT_EQ(progress_.back(), 1.0);

  const UniqueFd process = pidfd_of(child_->pid());
  child_->stop();
  ASSERT_TRUE(run_until_exit());
  run_out();
  ASSERT_EQ(exits_.size(), 1U);
  EXPECT_EQ(exits_[0].kind, ExitKind::Exited);
  EXPECT_EQ(exits_[0].code, 0);
  EXPECT_TRUE(exits_[0].was_ready);
  EXPECT_TRUE(exits_[0].asked_to_stop);
  EXPECT_FALSE(exits_[0].out_of_memory);
  EXPECT_GT(exits_[0].peak_memory, kMiB);
  EXPECT_EQ(child_->pid(), 0);
  EXPECT_FALSE(child_->ready());
  EXPECT_FALSE(std::filesystem::exists(socket()));
  EXPECT_TRUE(ends(process));
}

TEST_F(ChildTest, TellsTheSpeedOfItsAnswersFromItsLog) {
  script(R"({"load_message": "eval time = 1000.00 ms / 41 tokens (24.39 ms"})");
  ASSERT_TRUE(spawn_until_ready(spec()));
  ASSERT_TRUE(run_until([this] { return !speeds_.empty(); }));
  EXPECT_EQ(speeds_[0].kind, Speed::Kind::Decode);
  EXPECT_NEAR(speeds_[0].tokens_per_second, 40, 1e-6);
}

TEST_F(ChildTest, IsReadyWithoutStateLines) {
  script(R"({"silent": true})");
  ASSERT_TRUE(spawn_until_ready(spec()));
  EXPECT_TRUE(progress_.empty());
  EXPECT_TRUE(accepts(socket()));
  child_->kill();
  ASSERT_TRUE(run_until_exit());
}

TEST_F(ChildTest, IsNotReadyBeforeItIsLoaded) {
  for (const char* silent : {"true", "false"}) {
    const std::string loaded = directory_.file(std::string("loaded-") + silent);
    script(fmt::format(R"({{"load_until": "{}", "silent": {}}})", loaded, silent));
    std::filesystem::remove(model() + ".stub.log");
    ready_count_ = 0;
    exits_.clear();
    spawn(spec());
    // Its socket accepts and answers 503.
    ASSERT_TRUE(run_until([this] { return stub_logged("not_ready"); }));
    EXPECT_EQ(ready_count_, 0);
    write_text(loaded, "");
    EXPECT_TRUE(run_until([this] { return ready_count_ == 1; }));
    child_->kill();
    ASSERT_TRUE(run_until_exit());
  }
}

TEST_F(ChildTest, ReportsAnExitBeforeReadyWithItsReason) {
  script(R"({"load_exit": 3, "load_message": "ggml: failed to allocate CPU buffer of size 7"})");
  spawn(spec());
  ASSERT_TRUE(run_until_exit());
  run_out();
  EXPECT_EQ(ready_count_, 0);
  ASSERT_EQ(exits_.size(), 1U);
  EXPECT_EQ(exits_[0].kind, ExitKind::Exited);
  EXPECT_EQ(exits_[0].code, 3);
  EXPECT_FALSE(exits_[0].was_ready);
  EXPECT_FALSE(exits_[0].asked_to_stop);
  EXPECT_TRUE(exits_[0].out_of_memory);
  EXPECT_THAT(exits_[0].log_tail, HasSubstr("failed to allocate CPU buffer of size 7\n"));
  EXPECT_THAT(log_, testing::Contains(HasSubstr("failed to allocate")));
}

TEST_F(ChildTest, ReportsAMissingEngineAfterSpawnReturned) {
  ChildSpec missing = spec();
  missing.engine = directory_.file("no-such-engine");
  spawn(missing);
  EXPECT_TRUE(exits_.empty());
  EXPECT_EQ(child_->pid(), 0);
  child_->stop();
  child_->kill();
  ASSERT_TRUE(run_until_exit());
  EXPECT_EQ(exits_[0].kind, ExitKind::SpawnFailed);
  EXPECT_EQ(exits_[0].code, ENOENT);
  EXPECT_THAT(exits_[0].log_tail, HasSubstr("No such file"));
}

TEST_F(ChildTest, RefusesWhatIsNotAnExecutableFile) {
  write_text(directory_.file("plain"), "text");
  for (const std::string& engine : {directory_.path(), directory_.file("plain")}) {
    exits_.clear();
    ChildSpec wrong = spec();
    wrong.engine = engine;
    spawn(wrong);
    ASSERT_TRUE(run_until_exit());
    EXPECT_EQ(exits_[0].kind, ExitKind::SpawnFailed);
    EXPECT_EQ(exits_[0].code, EACCES);
  }
}

TEST_F(ChildTest, ReportsAProgramTheKernelRefuses) {
  const std::string engine = directory_.file("not-a-binary");
  write_text(engine, "no program");
  ASSERT_EQ(::chmod(engine.c_str(), 0700), 0);
  ChildSpec wrong = spec();
  wrong.engine = engine;
  spawn(wrong);
  ASSERT_TRUE(run_until_exit());
  EXPECT_EQ(exits_[0].kind, ExitKind::Exited);
  EXPECT_EQ(exits_[0].code, 127);
  EXPECT_THAT(exits_[0].log_tail, HasSubstr("Exec format error"));
}

TEST_F(ChildTest, RefusesASocketPathThatIsTooLong) {
  ChildSpec wrong = spec();
  wrong.socket_path = "/tmp/" + std::string(103, 'x');
  spawn(wrong);
  ASSERT_TRUE(run_until_exit());
  EXPECT_EQ(exits_[0].kind, ExitKind::SpawnFailed);
  EXPECT_EQ(exits_[0].code, ENAMETOOLONG);
}

TEST_F(ChildTest, ReportsACrashThatNobodyAskedFor) {
  // Not SIGSEGV: a stub built with AddressSanitizer would turn it into an exit.
  for (const int number : {SIGABRT, SIGKILL}) {
    exits_.clear();
    ready_count_ = 0;
    ASSERT_TRUE(spawn_until_ready(spec()));
    ASSERT_EQ(::kill(child_->pid(), number), 0);
    ASSERT_TRUE(run_until_exit());
    EXPECT_EQ(exits_[0].kind, ExitKind::Signalled);
    EXPECT_EQ(exits_[0].code, number);
    EXPECT_TRUE(exits_[0].was_ready);
    EXPECT_FALSE(exits_[0].asked_to_stop);
    EXPECT_FALSE(exits_[0].out_of_memory);
  }
}

TEST_F(ChildTest, HasExactlyTheEnvironmentItWasGiven) {
  ASSERT_EQ(::setenv("LLAMA_ARG_HOST", "0.0.0.0", 1), 0);
  ASSERT_TRUE(spawn_until_ready(spec()));
  ::unsetenv("LLAMA_ARG_HOST");
  EXPECT_THAT(stub_log(), HasSubstr(R"("env":["LANG=C.UTF-8","LLAMA_SERVER_ROUTER_PORT=1"])"));
  EXPECT_THAT(read_text(fmt::format("/proc/{}/environ", child_->pid())),
              Not(HasSubstr("LLAMA_ARG_HOST")));
  child_->kill();
  ASSERT_TRUE(run_until_exit());
}

TEST_F(ChildTest, InheritsNoDescriptorButStandardOnes) {
  const UniqueFd leak(::open("/dev/null", O_RDONLY));  // deliberately without O_CLOEXEC
  ASSERT_TRUE(spawn_until_ready(spec()));
  EXPECT_THAT(stub_log(), HasSubstr(R"("fds":[0,1,2])"));
  child_->kill();
  ASSERT_TRUE(run_until_exit());
}

TEST_F(ChildTest, RunsInTheJail) {
  ASSERT_TRUE(spawn_until_ready(spec()));
  const std::string proc = fmt::format("/proc/{}/", child_->pid());
  EXPECT_THAT(read_text(proc + "status"), HasSubstr("NoNewPrivs:\t1"));
  EXPECT_THAT(read_text(proc + "status"), HasSubstr("Umask:\t0077"));
  EXPECT_THAT(read_text(proc + "limits"),
              testing::ContainsRegex("Max core file size +0 +0 +bytes"));
  EXPECT_EQ(read_text(proc + "oom_score_adj"), fmt::format("{}\n", kOomScoreLoading));
  struct stat info {};
  ASSERT_EQ(::stat(socket().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 077U, 0U);
  EXPECT_EQ(::getpgid(child_->pid()), child_->pid());
  child_->kill();
  ASSERT_TRUE(run_until_exit());
}

TEST_F(ChildTest, KeepsABoundedTailOfAFloodOfLogs) {
  script(R"({"log_lines": 20000, "log_line_bytes": 3000000})");
  ASSERT_TRUE(spawn_until_ready(spec()));
  child_->kill();
  ASSERT_TRUE(run_until_exit());
  EXPECT_GT(log_.size(), 20000U);
  EXPECT_LE(exits_[0].log_tail.size(), kTailBytesMax);
  EXPECT_THAT(exits_[0].log_tail, HasSubstr("stub log line 20000\n"));
  EXPECT_THAT(exits_[0].log_tail, Not(HasSubstr("stub log line 1\n")));
  EXPECT_THAT(exits_[0].log_tail, HasSubstr(std::string(kLineBytesMax, 'z') + "\n"));
}

}  // namespace
}  // namespace hf::process
