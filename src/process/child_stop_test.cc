#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>

#include "process/child.h"
#include "process/child_fixture.h"

namespace hf::process {
namespace {

using namespace std::chrono_literals;

class ChildStopTest : public ChildFixture {
 protected:
  static ChildSpec without_router_variable(ChildSpec made) {
    made.environment = {"LANG=C.UTF-8"};
    return made;
  }
};

TEST_F(ChildStopTest, EndsAStockServerByItsExitLineAlone) {
  ASSERT_TRUE(spawn_until_ready(spec()));
  child_->stop();
  ASSERT_TRUE(run_until_exit());
  EXPECT_TRUE(stub_logged("exit_line"));
  EXPECT_FALSE(stub_logged("sigterm"));
  EXPECT_EQ(exits_[0].code, 0);
}

TEST_F(ChildStopTest, EndsAnEngineWithoutTheProtocolBySigterm) {
  ASSERT_TRUE(spawn_until_ready(without_router_variable(spec())));
  child_->stop();
  ASSERT_TRUE(run_until_exit());
  EXPECT_TRUE(stub_logged("sigterm"));
  EXPECT_EQ(exits_[0].kind, ExitKind::Exited);
  EXPECT_EQ(exits_[0].code, 0);
}

TEST_F(ChildStopTest, EndsAChildThatStillLoads) {
  script(R"({"load_hang": true})");
  spawn(spec());
  ASSERT_TRUE(run_until([this] { return stub_logged("start") && !progress_.empty(); }));
  child_->stop();
  ASSERT_TRUE(run_until_exit());
  EXPECT_EQ(exits_[0].kind, ExitKind::Signalled);
  EXPECT_EQ(exits_[0].code, SIGTERM);
  EXPECT_TRUE(exits_[0].asked_to_stop);
  EXPECT_FALSE(exits_[0].load_timed_out);
  EXPECT_EQ(ready_count_, 0);
}

TEST_F(ChildStopTest, KillsAChildThatIgnoresEverythingAtTheStopDeadline) {
  script(R"({"ignore_sigterm": true})");
  for (const bool protocol : {true, false}) {
    exits_.clear();
    ready_count_ = 0;
    ChildSpec stubborn = protocol ? spec() : without_router_variable(spec());
    stubborn.stop_deadline = 60ms;
    ASSERT_TRUE(spawn_until_ready(stubborn));
    const auto asked = std::chrono::steady_clock::now();
    child_->stop();
    ASSERT_TRUE(run_until_exit());
    EXPECT_GE(std::chrono::steady_clock::now() - asked, 60ms);
    EXPECT_EQ(exits_[0].kind, ExitKind::Signalled);
    EXPECT_EQ(exits_[0].code, SIGKILL);
    EXPECT_TRUE(exits_[0].asked_to_stop);
    EXPECT_FALSE(exits_[0].out_of_memory);
    EXPECT_FALSE(std::filesystem::exists(socket()));
  }
}

TEST_F(ChildStopTest, WakesAStoppedChildSoThatItCanEnd) {
  for (const bool protocol : {true, false}) {
    exits_.clear();
    ready_count_ = 0;
    ASSERT_TRUE(spawn_until_ready(protocol ? spec() : without_router_variable(spec())));
    ASSERT_EQ(::kill(child_->pid(), SIGSTOP), 0);
    child_->stop();
    ASSERT_TRUE(run_until_exit());
    EXPECT_EQ(exits_[0].kind, ExitKind::Exited);
    EXPECT_EQ(exits_[0].code, 0);
  }
}

TEST_F(ChildStopTest, GivesUpALoadAtItsDeadline) {
  script(R"({"load_hang": true})");
  ChildSpec hanging = spec();
  hanging.load_deadline = 80ms;
  spawn(hanging);
  ASSERT_TRUE(run_until_exit());
  EXPECT_TRUE(exits_[0].load_timed_out);
  EXPECT_FALSE(exits_[0].asked_to_stop);
  EXPECT_FALSE(exits_[0].was_ready);
  EXPECT_EQ(ready_count_, 0);
}

TEST_F(ChildStopTest, KillsAHangingLoadThatIgnoresSigterm) {
  script(R"({"load_hang": true, "ignore_sigterm": true})");
  ChildSpec hanging = spec();
  hanging.load_deadline = 700ms;  // long enough for the stub to begin to ignore
  hanging.stop_deadline = 40ms;
  spawn(hanging);
  ASSERT_TRUE(run_until([this] { return !progress_.empty(); }));
  ASSERT_TRUE(run_until_exit());
  EXPECT_TRUE(exits_[0].load_timed_out);
  EXPECT_EQ(exits_[0].code, SIGKILL);
}

TEST_F(ChildStopTest, ReportsOnceHoweverOftenItIsAsked) {
  ASSERT_TRUE(spawn_until_ready(spec()));
  child_->stop();
  child_->stop();
  child_->kill();
  child_->stop();
  ASSERT_TRUE(run_until_exit());
  child_->stop();
  child_->kill();
  run_out();
  EXPECT_EQ(exits_.size(), 1U);
}

TEST_F(ChildStopTest, MayBeStoppedFromItsOwnCallbacks) {
  ChildEvents events;
  events.on_ready = [this] { child_->stop(); };
  events.on_exit = [this](const ChildExit& exit) {
    exits_.push_back(exit);
    child_.reset();
  };
  child_ = Child::spawn(*io_, spec(), std::move(events));
  ASSERT_TRUE(run_until_exit());
  run_out();
  EXPECT_EQ(exits_.size(), 1U);
}

TEST_F(ChildStopTest, TakesItsGrandchildrenAlong) {
  script(R"({"grandchild": true})");
  enum class Way { Kill, Stop, Crash };
  for (const Way way : {Way::Kill, Way::Stop, Way::Crash}) {
    std::filesystem::remove(model() + ".stub.log");
    exits_.clear();
    ready_count_ = 0;
    ASSERT_TRUE(spawn_until_ready(spec()));
    const UniqueFd grandchild = pidfd_of(stub_number("grandchild"));
    ASSERT_TRUE(grandchild.valid());
    if (way == Way::Kill) {
      child_->kill();
    } else if (way == Way::Stop) {
      child_->stop();
    } else {
      ASSERT_EQ(::kill(child_->pid(), SIGSEGV), 0);
    }
    ASSERT_TRUE(run_until_exit());
    EXPECT_TRUE(ends(grandchild));
  }
}

TEST_F(ChildStopTest, DiesWithItsLoop) {
  ASSERT_TRUE(spawn_until_ready(spec()));
  const UniqueFd process = pidfd_of(child_->pid());
  ASSERT_TRUE(process.valid());
  child_.reset();
  io_.reset();
  EXPECT_TRUE(ends(process));
  EXPECT_FALSE(std::filesystem::exists(socket()));
  EXPECT_TRUE(exits_.empty());
}

}  // namespace
}  // namespace hf::process
