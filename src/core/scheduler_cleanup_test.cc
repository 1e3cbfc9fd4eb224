// Memory pressure, emergency cleanup, debt and ttl: only what nobody uses ever goes.
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
using ::testing::Not;
using testing::spec;
using testing::Texts;

class Cleanup : public ::testing::Test {
 protected:
  Cleanup() : h(limits(gib(64))) {
    h.model("a", gib(10), 4);
    h.model("b", gib(10));
    h.model("c", gib(10));
  }
  void hold(const std::string& ticket, const std::string& model) {
    h.arrive(ticket, model);
    if (h.state(model) == State::Loading) {
      h.ready(model);
    }
  }

  Harness h;
};

TEST_F(Cleanup, Scenario1TheUsedStayAndTheIdleGo) {  // U4, U7
  hold("a1", "a");
  hold("a2", "a");
  h.make_ready("b");
  h.make_ready("c");
  EXPECT_THAT(h.reading(96.2), ElementsAre("notice critical_memory", "notice emergency_cleanup",
                                           "notice protected [a]", "stop b emergency_cleanup",
                                           "stop c emergency_cleanup"));
  EXPECT_THAT(h.exit("b"), ElementsAre("notice unloaded [b]"));
  EXPECT_THAT(h.exit("c"), ElementsAre("notice unloaded [c]", "notice kept [a] [a]"));
  EXPECT_EQ(h.view("a").leases, 2);
  EXPECT_THAT(h.end("a1"), IsEmpty());
}

TEST_F(Cleanup, Scenario2ALoadIsNotInterrupted) {  // U5
  h.make_ready("b");
  h.arrive("a1", "a");
  EXPECT_THAT(h.reading(96.2), ElementsAre("notice critical_memory", "notice emergency_cleanup",
                                           "notice protected [a]", "stop b emergency_cleanup"));
  EXPECT_THAT(h.exit("b"), ElementsAre("notice unloaded [b]", "notice kept [a] [a]"));
  EXPECT_THAT(h.ready("a"), ElementsAre("grant a1"));
}

TEST_F(Cleanup, Scenario3AllInUseNothingIsUnloadedAndAWarningIsGiven) {  // U6
  hold("a1", "a");
  hold("b1", "b");
  EXPECT_THAT(h.reading(96.2), ElementsAre("notice critical_memory", "notice emergency_cleanup",
                                           "notice all_in_use [a b]"));
  EXPECT_THAT(h.reading(96.4), IsEmpty());  // once an episode
  EXPECT_EQ(h.view("a").leases + h.view("b").leases, 2);
}

TEST_F(Cleanup, WhoBecomesIdleWhileMemoryIsCriticalGoesAtTheNextReading) {
  hold("a1", "a");
  h.reading(97);
  h.end("a1");
  EXPECT_THAT(h.reading(97), Contains("stop a emergency_cleanup"));
}

TEST_F(Cleanup, TheKeptLineComesAfterTheLastOfSeveralCleanups) {
  h.make_ready("b");
  h.make_ready("c");
  h.cleanup(CleanupLevel::Emergency);
  h.cleanup(CleanupLevel::Normal);
  EXPECT_THAT(h.exit("b"), ElementsAre("notice unloaded [b]"));
  EXPECT_THAT(h.exit("c"), ElementsAre("notice unloaded [c]", "notice kept"));
}

TEST_F(Cleanup, HighPressureUnloadsOneIdleModelAtATime) {
  h.make_ready("b");
  h.make_ready("c");
  const Texts first = h.reading(91);
  EXPECT_THAT(first, ElementsAre("stop b memory_pressure"));
  EXPECT_THAT(h.reading(91), IsEmpty());
  h.exit("b");
  EXPECT_THAT(h.reading(90), ElementsAre("stop c memory_pressure"));
}

TEST_F(Cleanup, HighPressureEndsBelowTheLowMark) {
  h.make_ready("b");
  h.make_ready("c");
  h.reading(91);
  h.exit("b");
  EXPECT_THAT(h.reading(84), IsEmpty());
  EXPECT_EQ(h.state("c"), State::Ready);
}

TEST_F(Cleanup, PressureStopsLoadsButReadyModelsServe) {
  hold("b1", "b");
  h.reading(92);
  EXPECT_THAT(h.arrive("a1", "a"), IsEmpty());
  EXPECT_EQ(h.scheduler().waiting().at(0).waiting_for, WaitingFor::Pressure);
  h.end("b1");
  EXPECT_THAT(h.reading(80), Contains("start a head_fits"));
}

TEST_F(Cleanup, DeadlinesStandStillWhilePressureLasts) {
  Limits l = limits(gib(16));
  l.request_limit = seconds(600);
  Harness clocked(l);
  clocked.model("a", gib(10));
  clocked.model("b", gib(10));
  clocked.arrive("held", "b");
  clocked.ready("b");
  clocked.reading(92);
  clocked.arrive("t", "a");
  const auto before = clocked.bound("t");
  clocked.advance(seconds(100));
  clocked.reading(50);
  EXPECT_EQ(clocked.bound("t"), before);
}

TEST_F(Cleanup, PressureShutsNoGate) {
  Harness tight(limits(gib(16)));
  tight.model("a", gib(10));
  tight.model("b", gib(10));
  tight.arrive("a1", "a");
  tight.ready("a");
  tight.arrive("b1", "b");
  tight.reading(92);
  EXPECT_THAT(tight.advance(seconds(50)), IsEmpty());
  EXPECT_THAT(tight.reading(80), Contains("shut a owner_waits"));
}

TEST_F(Cleanup, AStallUnloadsOneIdleModelAtATimeWhateverThePercentage) {
  hold("a1", "a");
  h.make_ready("b");
  h.make_ready("c");
  h.advance(kStallSettles);  // its load explains it no longer
  EXPECT_THAT(h.reading(40, true),
              ElementsAre("notice memory_stall", "notice protected [a]", "stop b memory_stall"));
  EXPECT_THAT(h.reading(40, true), IsEmpty());
  h.exit("b");
  EXPECT_THAT(h.reading(40, true), IsEmpty()) << "whether that helped cannot show yet";
  h.advance(seconds(5));
  EXPECT_THAT(h.reading(40, true), ElementsAre("notice protected [a]", "stop c memory_stall"));
  EXPECT_EQ(h.view("a").leases, 1);
}

TEST_F(Cleanup, AStallThatALoadExplainsIsNone) {
  h.make_ready("b");
  h.arrive("a1", "a");
  EXPECT_THAT(h.reading(40, true), IsEmpty()) << "a is read from the disk";
  h.ready("a");
  h.advance(seconds(4));
  EXPECT_THAT(h.reading(40, true), IsEmpty()) << "the readers lag";
  h.advance(seconds(1));
  EXPECT_THAT(h.reading(40, true), Contains("stop b memory_stall"));
}

TEST_F(Cleanup, NothingIsLoadedUntilAStallHasBeenOverForAWhile) {
  hold("b1", "b");
  h.make_ready("c");
  h.advance(kStallSettles);  // its load explains it no longer
  h.reading(40, true);
  h.exit("c");
  EXPECT_THAT(h.arrive("a1", "a"), IsEmpty());
  EXPECT_EQ(h.scheduler().waiting().at(0).waiting_for, WaitingFor::Pressure);
  EXPECT_THAT(h.advance(seconds(10)), IsEmpty());
  EXPECT_THAT(h.reading(40), IsEmpty());
  EXPECT_TRUE(h.scheduler().memory().by_stall);
  EXPECT_THAT(h.advance(seconds(19)), IsEmpty());
  EXPECT_THAT(h.advance(seconds(1)), ElementsAre("start a head_fits"));
  EXPECT_EQ(h.scheduler().memory().level, PressureLevel::Normal);
}

TEST_F(Cleanup, DeadlinesStandStillWhileAStallLasts) {
  Limits l = limits(gib(16));
  l.request_limit = seconds(600);
  Harness clocked(l);
  clocked.model("a", gib(10));
  clocked.model("b", gib(10));
  clocked.arrive("held", "b");
  clocked.ready("b");
  clocked.model("c", gib(1));
  clocked.make_ready("c");
  clocked.advance(kStallSettles);  // its load explains it no longer
  clocked.reading(50, true);
  clocked.arrive("t", "a");
  const auto before = clocked.bound("t");
  clocked.advance(seconds(100));
  EXPECT_EQ(clocked.bound("t"), *before - seconds(70)) << "it lasted for 30 s";
}

TEST_F(Cleanup, AStallHoldsLoadsBackAlsoWhileAllAreInUse) {
  hold("b1", "b");
  h.advance(kStallSettles);  // its load explains it no longer
  EXPECT_THAT(h.reading(40, true), ElementsAre("notice memory_stall", "notice all_in_use [b]"));
  EXPECT_THAT(h.arrive("a1", "a"), IsEmpty());
  EXPECT_THAT(h.advance(seconds(29)), IsEmpty());
  EXPECT_THAT(h.advance(seconds(1)), ElementsAre("start a head_fits"));
}

TEST_F(Cleanup, WhoBecomesIdleWhileAStallLastsGoes) {
  hold("b1", "b");
  h.advance(kStallSettles);  // its load explains it no longer
  h.reading(40, true);
  h.advance(seconds(20));
  h.reading(40, true);
  EXPECT_THAT(h.end("b1"), ElementsAre("stop b memory_stall"));
}

TEST_F(Cleanup, AfterAStallWasGivenUpIdleModelsStillGoForIt) {
  hold("b1", "b");
  h.advance(kStallSettles);  // its load explains it no longer
  h.reading(40, true);
  for (int i = 0; i < 5; ++i) {
    h.advance(seconds(10));
    h.reading(40, true);
  }
  EXPECT_THAT(h.advance(seconds(10)), ElementsAre("notice stall_given_up"));
  EXPECT_THAT(h.reading(40, true), IsEmpty());
  EXPECT_EQ(h.scheduler().memory().level, PressureLevel::Normal);
  EXPECT_THAT(h.end("b1"), ElementsAre("stop b memory_stall"));
}

TEST_F(Cleanup, AStallForbidsLoadsForAMinuteAtMost) {
  h.make_ready("c");
  h.advance(kStallSettles);  // its load explains it no longer
  EXPECT_THAT(h.reading(40, true), ElementsAre("notice memory_stall", "stop c memory_stall"));
  h.arrive("a1", "a");
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(h.advance(seconds(10)), IsEmpty());
    EXPECT_THAT(h.reading(40, true), IsEmpty());
  }
  EXPECT_THAT(h.advance(seconds(9)), IsEmpty());
  EXPECT_THAT(h.advance(seconds(1)), ElementsAre("notice stall_given_up", "start a head_fits"));
}

TEST_F(Cleanup, TwoEvictionsInVainGiveAStallUp) {
  h.make_ready("b");
  h.make_ready("c");
  h.advance(kStallSettles);  // its load explains it no longer
  h.reading(40, true);
  h.exit("b");
  h.advance(seconds(5));
  h.reading(40, true);
  h.exit("c");
  EXPECT_THAT(h.reading(40, true), IsEmpty());
  h.advance(seconds(5));
  EXPECT_THAT(h.reading(40, true), ElementsAre("notice stall_given_up"));
  h.make_ready("b");
  EXPECT_THAT(h.reading(40, true), IsEmpty()) << "it was in vain";
}

TEST_F(Cleanup, ByHandOneModelGoesWhileAStallIsDyingAway) {
  h.make_ready("b");
  hold("a1", "a");
  h.advance(kStallSettles);  // its load explains it no longer
  h.reading(40, true);
  h.exit("b");
  h.reading(40);
  EXPECT_THAT(h.cleanup(CleanupLevel::Normal), ElementsAre("notice all_in_use [a]", "answer done"));
  EXPECT_THAT(h.end("a1"), IsEmpty()) << "nobody asked for it";
  EXPECT_THAT(h.cleanup(CleanupLevel::Normal),
              ElementsAre("stop a cleanup_by_hand", "answer started"));
}

TEST_F(Cleanup, WhereThePercentageSaysTheSameItIsTheReason) {
  h.make_ready("b");
  EXPECT_THAT(h.reading(92, true), ElementsAre("stop b memory_pressure"));
}

TEST_F(Cleanup, NormalByHandUnloadsOneModelEvenBelowTheLowMark) {
  h.make_ready("b");
  h.make_ready("c");
  EXPECT_THAT(h.cleanup(CleanupLevel::Normal),
              ElementsAre("stop b cleanup_by_hand", "answer started"));
}

TEST_F(Cleanup, NormalByHandUnloadsOneModel) {
  h.make_ready("b");
  h.make_ready("c");
  h.reading(87);
  EXPECT_THAT(h.cleanup(CleanupLevel::Normal),
              ElementsAre("stop b memory_pressure", "answer started"));
}

TEST_F(Cleanup, EmergencyByHandUnloadsAllIdleModelsButNoPinnedOne) {
  h.make_ready("b");
  h.make_ready("c");
  h.pin("c");
  EXPECT_THAT(h.cleanup(CleanupLevel::Emergency),
              ElementsAre("notice emergency_cleanup", "notice pinned [c]", "stop b cleanup_by_hand",
                          "answer started"));
}

TEST_F(Cleanup, WhatIsOnlyPinnedIsNotCalledInUse) {
  h.make_ready("b");
  h.make_ready("c");
  h.pin("b");
  hold("a1", "a");
  EXPECT_THAT(h.reading(92),
              ElementsAre("notice protected [a]", "notice pinned [b]", "stop c memory_pressure"));
  h.exit("c");
  EXPECT_THAT(h.reading(91), ElementsAre("notice all_in_use [a] pinned [b]"));
  hold("b1", "b");
  h.reading(50);
  EXPECT_THAT(h.reading(92), ElementsAre("notice all_in_use [a b]"));
}

TEST_F(Cleanup, EachEpisodeOfPressureWarnsAgain) {
  hold("a1", "a");
  h.cleanup(CleanupLevel::Emergency);  // warned by hand, memory is fine
  EXPECT_THAT(h.reading(92), ElementsAre("notice all_in_use [a]"));
  h.reading(50);
  EXPECT_THAT(h.reading(92), ElementsAre("notice all_in_use [a]"));
}

TEST_F(Cleanup, AllInUseForLongWhileSomebodyWaitsIsTold) {  // U11
  Harness tight(limits(gib(16)));
  tight.model("a", gib(10));
  tight.model("b", gib(10));
  tight.arrive("a1", "a");
  tight.ready("a");
  EXPECT_THAT(tight.advance(seconds(300)), IsEmpty());
  tight.arrive("b1", "b");
  EXPECT_THAT(tight.advance(seconds(60)),
              ElementsAre("shut a owner_waits", "notice all_in_use_long [a]"));
  EXPECT_EQ(tight.last<action::Notice>()->lasted, seconds(60));
}

TEST_F(Cleanup, DebtOfABusyModelIsPaidByIdleOnes) {
  Harness tight(limits(gib(16)));
  tight.model("a", gib(8));
  tight.model("b", gib(7));
  tight.make_ready("b");
  tight.arrive("a1", "a");
  tight.ready("a");
  EXPECT_THAT(tight.measured("a", gib(9)), IsEmpty());
  EXPECT_THAT(tight.measured("a", gib(10)), ElementsAre("stop b budget_debt"));
  EXPECT_EQ(tight.view("a").leases, 1);
}

TEST_F(Cleanup, NothingIsLoadedWhileReservationsAndDebtExceedTheBudget) {
  Harness tight(limits(gib(16)));
  tight.model("a", gib(10));
  tight.model("small", gib(5));
  tight.arrive("a1", "a");
  tight.ready("a");
  tight.measured("a", gib(12));
  EXPECT_THAT(tight.arrive("s1", "small"), IsEmpty());
  tight.end("a1");
  EXPECT_THAT(tight.exit("a"), ElementsAre("notice unloaded [a]", "start small head_fits"));
}

TEST_F(Cleanup, TheDebtOfAVictimLeavesWithItAndNobodyElseGoes) {
  Harness tight(limits(gib(16)));
  tight.model("a", gib(5));
  tight.model("b", gib(5));
  tight.model("c", gib(11));
  tight.make_ready("a");
  tight.measured("a", gib(10));
  tight.make_ready("b");
  EXPECT_THAT(tight.arrive("t", "c"), ElementsAre("stop a idle_victim"));
  EXPECT_THAT(tight.reading(50), IsEmpty());
  EXPECT_EQ(tight.state("b"), State::Ready);
}

TEST_F(Cleanup, AShrunkBudgetIsPaidByIdleModels) {
  h.make_ready("b");
  hold("a1", "a");
  Limits smaller = h.scheduler().limits();
  smaller.budget = Footprint::host(gib(12));
  EXPECT_THAT(h.handle(event::LimitsChanged{smaller}), ElementsAre("stop b budget_debt"));
}

TEST_F(Cleanup, ATtlStopsWhatIsIdleThatLong) {
  ModelSpec short_lived = spec("d", gib(1));
  short_lived.ttl = seconds(60);
  h.model(short_lived);
  h.arrive("d1", "d");
  h.ready("d");
  EXPECT_THAT(h.advance(seconds(300)), IsEmpty());
  h.end("d1");
  EXPECT_THAT(h.advance(seconds(59)), IsEmpty());
  EXPECT_THAT(h.advance(seconds(1)), ElementsAre("stop d idle_too_long"));
}

TEST_F(Cleanup, ATtlThatPassedBehindAGateCountsWhenTheGateOpens) {
  Harness tight(limits(gib(16)));
  ModelSpec short_lived = spec("a", gib(8));
  short_lived.ttl = seconds(60);
  tight.model(short_lived);
  tight.model("b", gib(8));
  tight.model("c", gib(16));
  tight.arrive("b1", "b");
  tight.ready("b");
  tight.make_ready("a");
  tight.arrive("c1", "c");
  tight.advance(seconds(30));
  ASSERT_EQ(tight.state("a"), State::Gated);
  EXPECT_THAT(tight.advance(seconds(50)), Not(Contains("stop a idle_too_long")));
  EXPECT_THAT(tight.end("c1"), Contains("stop a idle_too_long"));
}

}  // namespace
}  // namespace hf::core
