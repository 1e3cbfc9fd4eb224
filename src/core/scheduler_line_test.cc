// The line of models: victims, turns, gates, owners and overtaking (rules 2 to 10).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing/harness.h"

namespace hf::core {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::gib;
using testing::Harness;
using ::testing::IsEmpty;
using testing::limits;
using ::testing::Not;
using testing::spec;
using testing::Texts;

// Three models of which one fits at a time.
class Line : public ::testing::Test {
 protected:
  explicit Line(Limits wanted = limits(gib(16))) : h(wanted) {
    h.model("a", gib(10));
    h.model("b", gib(10));
    h.model("c", gib(10));
  }
  void hold_a() {
    h.arrive("a1", "a");
    h.ready("a");
  }
  void say_longest(const std::string& model, Duration answer) {
    event::SpecTuned tuned;
    tuned.model = h.id(model);
    tuned.longest_answer = answer;
    h.handle(tuned);
  }

  Harness h;
};

TEST_F(Line, TheLeastValuableIdleModelMakesRoom) {  // rule 4
  Harness few(limits(gib(16)));
  few.model("often", gib(7));
  few.model("seldom", gib(7));
  few.model("new", gib(7));
  few.make_ready("often");
  few.make_ready("seldom");
  few.advance(seconds(40));
  few.arrive("again", "often");  // a second episode
  few.end("again");
  EXPECT_THAT(few.arrive("t", "new"), ElementsAre("stop seldom idle_victim"));
  EXPECT_EQ(few.state("often"), State::Ready);
}

TEST_F(Line, TheLoadStartsOnlyAfterTheReap) {
  h.make_ready("a");
  EXPECT_THAT(h.arrive("b1", "b"), ElementsAre("stop a idle_victim"));
  EXPECT_EQ(h.scheduler().memory().reserved, Footprint::host(gib(10)));
  EXPECT_THAT(h.exit("a"), ElementsAre("notice unloaded [a]", "start b head_fits"));
}

TEST_F(Line, NobodyInUseLeavesBeforePatienceEnds) {
  hold_a();
  h.arrive("b1", "b");
  EXPECT_THAT(h.advance(seconds(29)), IsEmpty());
  EXPECT_THAT(h.advance(seconds(1)), ElementsAre("shut a owner_waits"));
}

TEST_F(Line, AGatedModelFinishesItsAnswersUntouchedThenIsSwapped) {  // rules 6 and 7
  hold_a();
  h.arrive("b1", "b");
  h.advance(seconds(30));
  EXPECT_EQ(h.scheduler().owner(), h.id("b"));
  EXPECT_THAT(h.advance(seconds(3000)), Not(Contains("stop a turn_over")));
  EXPECT_THAT(h.end("a1"), ElementsAre("stop a turn_over"));
  EXPECT_THAT(h.exit("a"), ElementsAre("notice unloaded [a]", "start b head_fits"));
  EXPECT_EQ(h.scheduler().owner(), std::nullopt);
}

TEST_F(Line, AModelHasItsTurnBeforeItIsGated) {  // rule 6
  hold_a();
  h.arrive("b1", "b");
  h.arrive("c1", "c");
  h.advance(seconds(60));
  h.end("a1");
  h.exit("a");
  h.ready("b");  // at 60 s; c has been waiting for 60 s
  EXPECT_THAT(h.advance(seconds(29)), IsEmpty());
  EXPECT_THAT(h.advance(seconds(1)), Contains("shut b owner_waits"));
}

TEST_F(Line, IdleModelsLeaveWithinTheirTurn) {
  h.make_ready("a");
  EXPECT_THAT(h.arrive("b1", "b"), ElementsAre("stop a idle_victim"));
}

TEST_F(Line, AGateWithTicketsBehindItIsNeverLifted) {  // rule 8
  hold_a();
  h.arrive("b1", "b");
  h.advance(seconds(30));
  h.arrive("a2", "a");
  EXPECT_THAT(h.end("b1"), IsEmpty());  // nobody needs it, yet a2 waits for the next generation
  EXPECT_EQ(h.state("a"), State::Gated);
  EXPECT_THAT(h.end("a1"), ElementsAre("stop a gate_never_lifted"));
  EXPECT_THAT(h.exit("a"), ElementsAre("notice unloaded [a]", "start a head_fits"));
  EXPECT_THAT(h.ready("a"), ElementsAre("grant a2"));
}

TEST_F(Line, AGateWithoutTicketsOpensWhenItsOwnerIsGone) {  // rule 8
  hold_a();
  h.arrive("b1", "b");
  h.advance(seconds(30));
  EXPECT_THAT(h.end("b1"), ElementsAre("open a"));
  h.end("a1");
  EXPECT_THAT(h.arrive("a2", "a"), ElementsAre("grant a2"));
}

TEST_F(Line, APlaceholderHoldsTheGateUntilItExpires) {  // rule 14
  hold_a();
  h.arrive("b1", "b");
  h.advance(seconds(30));
  EXPECT_THAT(h.cancel("b1"), IsEmpty());
  EXPECT_THAT(h.advance(seconds(14)), IsEmpty());
  EXPECT_THAT(h.advance(seconds(1)), ElementsAre("open a"));
}

TEST_F(Line, AClientThatCancelsAndReturnsKeepsTheLineUrgent) {  // rules 5 and 14
  hold_a();
  h.arrive("b1", "b");
  h.advance(seconds(20));
  h.cancel("b1");
  h.advance(seconds(5));
  EXPECT_THAT(h.arrive("b2", "b"), IsEmpty());
  EXPECT_THAT(h.advance(seconds(5)), ElementsAre("shut a owner_waits"));
}

TEST_F(Line, TheLineIsServedByNumbers) {  // rule 2
  hold_a();
  h.arrive("c1", "c");
  h.advance(seconds(1));
  h.arrive("b1", "b");
  h.advance(seconds(60));
  h.end("a1");
  EXPECT_THAT(h.exit("a"), Contains("start c head_fits"));
}

TEST_F(Line, PriorityGoesFirstAmongTheYoungOnly) {
  ModelSpec first = spec("b", gib(10));
  first.priority = 1;
  h.model(first);
  hold_a();
  h.arrive("c1", "c");
  h.arrive("b1", "b");
  h.end("a1");  // nobody is out of patience
  EXPECT_THAT(h.exit("a"), Contains("start b head_fits"));
  h.ready("b");
  h.advance(seconds(31));
  h.arrive("a2", "a");
  h.end("b1");
  EXPECT_THAT(h.exit("b"), Contains("start c head_fits"));
}

TEST_F(Line, ASmallModelOvertakesIntoFreeMemory) {  // rule 9
  h.model("small", gib(2));
  hold_a();
  h.arrive("b1", "b");
  EXPECT_THAT(h.arrive("s1", "small"), ElementsAre("start small overtakes_into_free"));
}

TEST_F(Line, NobodyOvertakesWhoIsOutOfPatience) {  // rule 9
  h.model("small", gib(2));
  hold_a();
  h.arrive("b1", "b");
  h.advance(seconds(30));
  EXPECT_THAT(h.arrive("s1", "small"), IsEmpty());
}

TEST_F(Line, NobodyTakesTheBytesThatTheHeadIsGettingFreed) {  // rules 4 and 9
  h.model("small", gib(7));
  h.make_ready("a");
  h.arrive("b1", "b");  // a is stopping: 6 GiB free, 10 coming, 10 promised to b
  EXPECT_THAT(h.arrive("s1", "small"), IsEmpty());
  EXPECT_THAT(h.exit("a"), ElementsAre("notice unloaded [a]", "start b head_fits"));
}

TEST_F(Line, OnlyTheCheapestSufficientSetIsGated) {
  Harness two(limits(gib(16)));
  two.model("x", gib(8));
  two.model("y", gib(7));
  two.model("z", gib(7));
  two.arrive("x1", "x");
  two.ready("x");
  two.arrive("y1", "y");
  two.ready("y");
  two.advance(seconds(40));
  two.arrive("z1", "z");
  const Texts done = two.advance(seconds(30));
  EXPECT_EQ(done.size(), 1U);
  EXPECT_EQ(two.scheduler().owner(), two.id("z"));
}

TEST_F(Line, DrainingMemoryIsCountedSoThatNobodyElseIsGated) {
  Harness two(limits(gib(16)));
  two.model("x", gib(8));
  two.model("y", gib(8));
  two.model("z", gib(8));
  two.arrive("x1", "x");
  two.ready("x");
  two.arrive("y1", "y");
  two.ready("y");
  two.unload("x", UnloadMode::Drain);
  two.arrive("z1", "z");
  EXPECT_THAT(two.advance(seconds(100)), Not(Contains("shut y owner_waits")));
  EXPECT_EQ(two.state("y"), State::Ready);
}

TEST_F(Line, APinLeavesTheOwnersSetAndAnotherIsFound) {  // rule 13
  Harness two(limits(gib(16)));
  two.model("x", gib(8));
  two.model("y", gib(8));
  two.model("z", gib(8));
  two.arrive("x1", "x");
  two.ready("x");
  two.arrive("y1", "y");
  two.ready("y");
  two.arrive("z1", "z");
  two.advance(seconds(30));
  const std::string gated = two.state("x") == State::Gated ? "x" : "y";
  const std::string other = gated == "x" ? "y" : "x";
  EXPECT_THAT(two.pin(gated),
              ElementsAre("open " + gated, "answer done", "shut " + other + " owner_waits"));
}

TEST_F(Line, AModelPinnedBehindItsGateLeavesTheSetWhenNobodyWaitsBehindIt) {  // rules 8 and 13
  Harness two(limits(gib(16)));
  two.model("x", gib(7));
  two.model("y", gib(8));
  two.model("z", gib(8));
  two.arrive("x1", "x");
  two.ready("x");
  two.arrive("y1", "y");
  two.ready("y");
  two.arrive("z1", "z");
  two.advance(seconds(30));
  const std::string gated = two.state("x") == State::Gated ? "x" : "y";
  const std::string other = gated == "x" ? "y" : "x";
  two.arrive("behind", gated);
  EXPECT_THAT(two.pin(gated), ElementsAre("answer done"));
  EXPECT_THAT(two.end("behind"), ElementsAre("open " + gated, "shut " + other + " owner_waits"));
}

class LimitedLine : public Line {
 protected:
  LimitedLine() : Line(with_limit()) {}
  static Limits with_limit() {
    Limits l = limits(gib(16));
    l.request_limit = seconds(60);
    return l;
  }
};

TEST_F(LimitedLine, AnAnswerThatNobodyWaitsForIsNeverCut) {
  hold_a();
  EXPECT_THAT(h.advance(seconds(100000)), IsEmpty());
  EXPECT_EQ(h.view("a").leases, 1);
}

TEST_F(LimitedLine, TheRequestLimitBitesFromTheGateOn) {  // rule 10
  hold_a();
  h.advance(seconds(1000));
  h.arrive("b1", "b");
  EXPECT_THAT(h.advance(seconds(30)), ElementsAre("shut a owner_waits"));
  EXPECT_THAT(h.advance(seconds(59)), Not(Contains("cut a1 request_limit")));
  const Texts cut = h.advance(seconds(1));
  EXPECT_THAT(cut, Contains("cut a1 request_limit"));
  EXPECT_THAT(cut, Contains("stop a turn_over"));
}

TEST_F(LimitedLine, TheRequestLimitBitesForTheModelsOwnQueue) {  // rule 10
  hold_a();
  h.arrive("a2", "a");
  EXPECT_THAT(h.advance(seconds(89)), IsEmpty());
  EXPECT_THAT(h.advance(seconds(1)), ElementsAre("cut a1 request_limit", "grant a2"));
}

TEST_F(LimitedLine, ABiteGoesOnWhenTheOldestWaiterChanges) {  // rule 10
  Harness two(with_limit());
  two.model("x", gib(10), 2);
  two.arrive("x1", "x");
  two.ready("x");
  two.arrive("x2", "x");
  two.arrive("x3", "x");  // full, bitten from 30 s on
  two.advance(seconds(40));
  two.arrive("x4", "x");
  two.end("x1");  // x3 is granted at 40 s, x4 has waited for nothing yet
  EXPECT_THAT(two.advance(seconds(30)), IsEmpty());
  EXPECT_THAT(two.advance(seconds(60)), Contains("cut x2 request_limit"));
}

TEST_F(Line, AnOpenEndedLeaseLastsNoLongerThanAnAnswer) {  // rule 10
  hold_a();
  say_longest("a", seconds(600));
  say_longest("b", seconds(5));
  h.open_ended("a1");
  EXPECT_THAT(h.advance(seconds(100000)), IsEmpty());
  h.arrive("b1", "b");
  EXPECT_THAT(h.advance(seconds(30)), ElementsAre("shut a owner_waits"));
  EXPECT_THAT(h.advance(seconds(599)), Not(Contains("cut a1 request_limit")));
  EXPECT_THAT(h.advance(seconds(1)),
              AllOf(Contains("cut a1 request_limit"), Contains("stop a turn_over")));
}

TEST_F(Line, AnOpenEndedLeaseKeepsToTheShortestThatWasSaid) {
  hold_a();
  say_longest("a", seconds(600));
  h.open_ended("a1");
  say_longest("a", seconds(20));
  h.arrive("b1", "b");
  say_longest("a", seconds(900));
  EXPECT_THAT(h.advance(seconds(30)), ElementsAre("shut a owner_waits"));
  EXPECT_THAT(h.advance(seconds(20)), ElementsAre("cut a1 request_limit", "stop a turn_over"));
}

TEST_F(Line, AStalledReaderIsCutOnlyWhileSomebodyWaits) {  // rule 10
  hold_a();
  h.stall("a1");
  EXPECT_THAT(h.advance(seconds(500)), IsEmpty());
  h.arrive("b1", "b");
  EXPECT_THAT(h.advance(seconds(30)),
              ElementsAre("shut a owner_waits", "cut a1 reader_stalled", "stop a turn_over"));
}

TEST_F(Line, AReaderThatResumedIsNotCut) {
  hold_a();
  h.stall("a1");
  h.advance(seconds(59));
  h.resume("a1");
  h.arrive("b1", "b");
  EXPECT_THAT(h.advance(seconds(30)), ElementsAre("shut a owner_waits"));
}

TEST_F(LimitedLine, AGateShutByHandBitesOnlyWhileSomebodyWaits) {
  hold_a();
  h.unload("a", UnloadMode::Drain);
  EXPECT_THAT(h.advance(seconds(1000)), IsEmpty());
  EXPECT_THAT(h.arrive("b1", "b"), ElementsAre("cut a1 request_limit", "stop a drain_by_hand"));
}

TEST_F(LimitedLine, TheBoundIsPublishedAndNeverMovesLater) {
  hold_a();
  h.arrive("b1", "b");
  // P + T + L with T = L + Q + R + U, L both attempts of 60 s, each with a stop of 10 s.
  EXPECT_EQ(h.bound("b1"), seconds(30 + (140 + 30 + 60 + 10) + 140));
  h.arrive("c1", "c");
  EXPECT_EQ(h.bound("c1"), seconds(30 + 2 * (140 + 30 + 60 + 10) + 140));
  h.advance(seconds(7));
  EXPECT_EQ(h.bound("b1"), seconds(403));
}

TEST_F(Line, NoBoundIsPublishedWhileAnAnswersLengthIsUnknown) {
  hold_a();
  h.arrive("b1", "b");
  EXPECT_EQ(h.bound("b1"), std::nullopt);
}

}  // namespace
}  // namespace hf::core
