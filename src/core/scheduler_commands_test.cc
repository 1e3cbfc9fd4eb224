// What administrators ask for: unload, pin, reload, removal, shutdown.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing/harness.h"

namespace hf::core {
namespace {

using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::gib;
using testing::Harness;
using ::testing::IsEmpty;
using testing::limits;
using testing::spec;

class Commands : public ::testing::Test {
 protected:
  Commands() : h(limits(gib(16))) {
    h.model("a", gib(10));
    h.model("b", gib(10));
  }
  void hold_a() {
    h.arrive("a1", "a");
    h.ready("a");
  }

  Harness h;
};

TEST_F(Commands, UnloadOfABusyModelIsRefused) {
  hold_a();
  EXPECT_THAT(h.unload("a", UnloadMode::IfIdle), ElementsAre("answer in_use"));
  EXPECT_EQ(h.state("a"), State::Ready);
}

TEST_F(Commands, UnloadOfALoadingModelIsRefused) {
  h.arrive("a1", "a");
  EXPECT_THAT(h.unload("a", UnloadMode::IfIdle), ElementsAre("answer in_use"));
  EXPECT_THAT(h.ready("a"), ElementsAre("grant a1"));
}

TEST_F(Commands, UnloadOfAnIdleModelStopsIt) {
  h.make_ready("a");
  EXPECT_THAT(h.unload("a", UnloadMode::IfIdle),
              ElementsAre("shut a unloaded_by_hand", "answer started", "stop a unloaded_by_hand"));
  h.exit("a");
  EXPECT_THAT(h.unload("a", UnloadMode::IfIdle), ElementsAre("answer not_loaded"));
}

TEST_F(Commands, DrainLetsAnswersFinishAndNewcomersWaitForTheNextGeneration) {
  hold_a();
  EXPECT_THAT(h.unload("a", UnloadMode::Drain),
              ElementsAre("shut a drain_by_hand", "answer started"));
  EXPECT_THAT(h.arrive("a2", "a"), IsEmpty());
  EXPECT_THAT(h.end("a1"), ElementsAre("stop a drain_by_hand"));
  EXPECT_THAT(h.exit("a"), ElementsAre("notice unloaded [a]", "start a head_fits"));
  EXPECT_THAT(h.ready("a"), ElementsAre("grant a2"));
}

TEST_F(Commands, DrainWhileLoadingServesWhoWaitsThenStops) {
  h.arrive("a1", "a");
  EXPECT_THAT(h.unload("a", UnloadMode::Drain), ElementsAre("answer started"));
  EXPECT_THAT(h.ready("a"), ElementsAre("grant a1", "shut a drain_by_hand"));
  EXPECT_THAT(h.end("a1"), ElementsAre("stop a drain_by_hand"));
}

TEST_F(Commands, ForceCutsFirstThenKills) {
  hold_a();
  EXPECT_THAT(h.unload("a", UnloadMode::Force),
              ElementsAre("cut a1 forced", "kill a forced_by_hand", "answer started"));
}

TEST_F(Commands, ForceKillsALoadAndRefusesItsTickets) {
  h.arrive("a1", "a");
  EXPECT_THAT(h.unload("a", UnloadMode::Force),
              ElementsAre("refuse a1 forced", "kill a forced_by_hand", "answer started"));
  EXPECT_THAT(h.ready("a"), IsEmpty());  // late news
  EXPECT_THAT(h.exit("a"), ElementsAre("notice unloaded [a]"));
}

TEST_F(Commands, ForceHastensAStopOnce) {
  h.make_ready("a");
  h.unload("a", UnloadMode::IfIdle);
  EXPECT_THAT(h.unload("a", UnloadMode::Force),
              ElementsAre("kill a forced_by_hand", "answer started"));
  EXPECT_THAT(h.unload("a", UnloadMode::Force), ElementsAre("answer started"));
}

TEST_F(Commands, APinnedModelIsNoVictim) {
  h.make_ready("a");
  h.pin("a");
  EXPECT_THAT(h.arrive("b1", "b"), ElementsAre("refuse b1 never_fits"));
  h.pin("a", false);
  EXPECT_THAT(h.arrive("b2", "b"), ElementsAre("stop a idle_victim"));
}

TEST_F(Commands, TicketsThatNoLongerFitBesideAPinAreRefused) {
  hold_a();
  h.arrive("b1", "b");
  EXPECT_THAT(h.pin("a"), ElementsAre("answer done", "refuse b1 never_fits"));
}

TEST_F(Commands, UnloadClearsThePin) {
  h.make_ready("a");
  h.pin("a");
  h.unload("a", UnloadMode::IfIdle);
  EXPECT_FALSE(h.view("a").pinned);
  h.exit("a");
  EXPECT_THAT(h.arrive("b1", "b"), ElementsAre("start b head_fits"));
}

TEST_F(Commands, AChangedSpecDrainsTheChildAndTheNextOneHasIt) {
  hold_a();
  EXPECT_THAT(h.model(spec("a", gib(12)), true), ElementsAre("shut a spec_changed"));
  h.arrive("a2", "a");
  EXPECT_THAT(h.end("a1"), ElementsAre("stop a spec_changed"));
  h.exit("a");
  EXPECT_EQ(h.last<action::StartLoad>()->reserved, Footprint::host(gib(12)));
}

TEST_F(Commands, AReloadOfAGatedModelTellsItsOwnReason) {
  hold_a();
  h.arrive("b1", "b");
  h.advance(seconds(30));
  h.model(spec("a", gib(12)), true);
  EXPECT_THAT(h.end("a1"), ElementsAre("stop a spec_changed"));
}

TEST_F(Commands, ARemovedModelFinishesWhatItRuns) {
  hold_a();
  EXPECT_THAT(h.handle(event::ModelRemoved{h.id("a")}), ElementsAre("shut a removed"));
  EXPECT_EQ(h.view("a").leases, 1);
  EXPECT_THAT(h.end("a1"), ElementsAre("stop a removed"));
}

TEST_F(Commands, ShutdownRefusesTheWaitingAndDrainsTheRest) {
  hold_a();
  h.arrive("b1", "b");
  EXPECT_THAT(h.handle(event::Shutdown{}),
              ElementsAre("shut a shutdown", "refuse b1 shutting_down"));
  EXPECT_THAT(h.arrive("a2", "a"), ElementsAre("refuse a2 shutting_down"));
  EXPECT_THAT(h.end("a1"), ElementsAre("stop a shutdown"));
  EXPECT_THAT(h.exit("a"), ElementsAre("notice unloaded [a]", "finished"));
}

TEST_F(Commands, TheDrainDeadlineCutsWhatStillRuns) {
  hold_a();
  h.handle(event::Shutdown{});
  EXPECT_THAT(h.advance(seconds(29)), IsEmpty());
  EXPECT_THAT(h.advance(seconds(1)), ElementsAre("cut a1 drain_deadline", "stop a drain_deadline"));
}

TEST_F(Commands, ASecondShutdownEndsTheDrainAtOnce) {
  hold_a();
  h.handle(event::Shutdown{});
  EXPECT_THAT(h.handle(event::Shutdown{}),
              ElementsAre("cut a1 drain_deadline", "stop a drain_deadline"));
}

TEST_F(Commands, ALoadMayEndDuringTheDrainAndIsKilledAtItsEnd) {
  h.arrive("a1", "a");
  EXPECT_THAT(h.handle(event::Shutdown{}), ElementsAre("refuse a1 shutting_down"));
  EXPECT_THAT(h.advance(seconds(30)), ElementsAre("kill a drain_deadline"));
  EXPECT_THAT(h.exit("a"), Contains("finished"));
}

TEST_F(Commands, ShutdownWithoutChildrenIsFinishedAtOnce) {
  EXPECT_THAT(h.handle(event::Shutdown{}), ElementsAre("finished"));
}

}  // namespace
}  // namespace hf::core
