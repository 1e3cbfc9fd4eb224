// One model's queue as the scheduler runs it: slots, limits, users, placeholders.
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

Limits short_queue() {
  Limits l = limits(gib(16));
  l.max_waiting = 2;
  return l;
}

TEST(Queue, NoMoreLeasesThanSlots) {
  Harness h(limits(gib(16)));
  h.model("a", gib(10), 2);
  h.arrive("t1", "a");
  h.arrive("t2", "a");
  h.arrive("t3", "a");
  EXPECT_THAT(h.ready("a"), ElementsAre("grant t1", "grant t2"));
  EXPECT_THAT(h.end("t2"), ElementsAre("grant t3"));
  EXPECT_EQ(h.view("a").leases, 2);
}

TEST(Queue, CountsTicketsAndLeasesUntilTheyEnd) {  // U1
  Harness h(limits(gib(16)));
  h.model("a", gib(10));
  h.arrive("t1", "a");
  EXPECT_EQ(h.view("a").waiting, 1);
  h.ready("a");
  EXPECT_EQ(h.view("a").leases, 1);
  h.cancel("t1");
  EXPECT_EQ(h.view("a").leases + h.view("a").waiting, 0);
}

TEST(Queue, AFullQueueRefusesTheNewcomerWithAnHonestRetryAfter) {
  Harness h(short_queue());
  h.model("a", gib(10));
  h.arrive("t1", "a");
  h.arrive("t2", "a");
  EXPECT_THAT(h.arrive("t3", "a"), ElementsAre("refuse t3 queue_full"));
  EXPECT_GE(h.last<action::Refuse>()->retry_after, seconds(1));
}

TEST(Queue, AFullQueueRefusesTheNewestOfTheUserWithTheMost) {
  Harness h(short_queue());
  h.model("a", gib(10));
  h.arrive("t1", "a", 1);
  h.arrive("t2", "a", 1);
  EXPECT_THAT(h.arrive("t3", "a", 2), ElementsAre("refuse t2 user_limit"));
  EXPECT_THAT(h.ready("a"), ElementsAre("grant t1"));
}

TEST(Queue, WhoHasNoMoreThanAnotherHasNotReachedALimitOfTheirOwn) {
  Harness h(short_queue());
  h.model("a", gib(10));
  h.arrive("t1", "a", 1);
  h.arrive("t2", "a", 2);
  EXPECT_THAT(h.arrive("t3", "a", 3), ElementsAre("refuse t3 queue_full"));
  EXPECT_THAT(h.arrive("t4", "a", 2), ElementsAre("refuse t4 user_limit"));
}

TEST(Queue, ATicketThatGetsASlotAtOnceDoesNotCountAsWaiting) {
  Harness h(short_queue());
  h.model("a", gib(10), 9);
  h.make_ready("a");
  for (int i = 0; i < 9; ++i) {
    const std::string name = "t" + std::to_string(i);
    EXPECT_THAT(h.arrive(name, "a"), ElementsAre("grant " + name));
  }
}

TEST(Queue, AReturningClientKeepsItsPlace) {  // rule 14
  Harness h(limits(gib(16)));
  h.model("a", gib(10));
  h.arrive("t1", "a", 1);
  h.arrive("t2", "a", 1);
  h.cancel("t1");
  h.advance(seconds(10));
  h.arrive("t1 again", "a", 1);
  EXPECT_THAT(h.ready("a"), ElementsAre("grant t1 again"));
}

TEST(Queue, AReturningClientGetsANewBoundForItMayHaveMissedItsTurn) {
  Limits l = limits(gib(16));
  l.request_limit = seconds(60);
  Harness h(l);
  h.model("a", gib(10), 2);
  h.arrive("first", "a", 2);
  h.arrive("t1", "a");
  const auto while_loading = h.bound("t1");
  h.cancel("t1");
  h.arrive("t2", "a", 2);
  h.ready("a");
  h.arrive("t1 again", "a");  // its load is over, the slots are taken
  EXPECT_GT(h.bound("t1 again"), while_loading);
}

TEST(Queue, APlaceholderIsNeverGranted) {
  Harness h(limits(gib(16)));
  h.model("a", gib(10));
  h.arrive("t1", "a", 1);
  h.cancel("t1");
  EXPECT_THAT(h.ready("a"), IsEmpty());
  EXPECT_EQ(h.view("a").leases, 0);
}

TEST(Queue, VanishingClientsCannotGrowItWithoutEnd) {
  Harness h(short_queue());
  h.model("a", gib(10));
  h.arrive("first", "a");
  for (int i = 0; i < 200; ++i) {  // the invariants bound the queue
    const std::string name = "t" + std::to_string(i);
    h.arrive(name, "a", static_cast<std::uint32_t>(i + 1));
    h.cancel(name);
  }
  EXPECT_EQ(h.view("a").waiting, 1);
}

TEST(Queue, LoadTicketsAreAnsweredWhenTheModelIsReadyAndTakeNoSlot) {
  Harness h(limits(gib(16)));
  h.model("a", gib(10));
  EXPECT_THAT(h.load("l1", "a"), ElementsAre("start a head_fits"));
  h.arrive("t1", "a");
  EXPECT_THAT(h.ready("a"), ElementsAre("grant l1", "grant t1"));
  EXPECT_EQ(h.view("a").leases, 1);
  EXPECT_THAT(h.load("l2", "a"), ElementsAre("grant l2"));
  EXPECT_EQ(h.view("a").use_count, 1U);
}

TEST(Queue, UsesWithinHalfAMinuteAreOneEpisode) {  // U10
  Harness h(limits(gib(16)));
  h.model("a", gib(10), 4);
  h.make_ready("a");
  h.arrive("t1", "a");
  h.end("t1");
  EXPECT_NEAR(h.view("a").episodes, 1, 0.01);
  h.advance(seconds(31));
  h.arrive("t2", "a");
  EXPECT_NEAR(h.view("a").episodes, 2, 0.01);
  EXPECT_EQ(h.view("a").use_count, 3U);
}

TEST(Queue, ALongAnswerDoesNotJoinTwoEpisodes) {  // arrivals count, not when answers end
  Harness h(limits(gib(16)));
  h.model("a", gib(10), 4);
  h.arrive("t1", "a");
  h.ready("a");
  h.advance(seconds(29));
  h.arrive("t2", "a");
  EXPECT_NEAR(h.view("a").episodes, 1, 0.01);
  h.advance(seconds(31));
  h.end("t1");
  h.end("t2");
  h.arrive("t3", "a");
  EXPECT_NEAR(h.view("a").episodes, 2, 0.01);
}

TEST(Queue, ConstantUseCountsAnEpisodeEachHalfMinute) {
  Harness h(limits(gib(16)));
  h.model("a", gib(10), 4);
  h.make_ready("a");
  for (int i = 0; i < 13; ++i) {
    h.advance(seconds(10));
    h.arrive("t" + std::to_string(i), "a");
    h.end("t" + std::to_string(i));
  }
  EXPECT_NEAR(h.view("a").episodes, 4, 0.05);  // at 0, 40, 80 and 120 s
}

TEST(Queue, ABoundIsToldAsSoonAsTheLongestAnswerIsKnown) {
  Harness h(limits(gib(16)));
  h.model("a", gib(10));
  h.model("too large", gib(20));  // never runs, so the length of its answers is no question
  h.arrive("t", "a");
  EXPECT_FALSE(h.bound("t"));
  event::SpecTuned tuned;
  tuned.model = h.id("a");
  tuned.longest_answer = seconds(60);
  h.handle(tuned);
  EXPECT_TRUE(h.bound("t"));
}

TEST(Queue, HistoryOutlivesARestart) {
  Harness h(limits(gib(16)));
  event::ModelAdded added;
  added.model = ModelId(0);
  added.spec = testing::spec("a", gib(1));
  added.history = UseHistory{41, 5, seconds(0)};
  h.handle(added);
  h.model("a", gib(1));
  h.arrive("t1", "a");
  EXPECT_EQ(h.view("a").use_count, 42U);
}

TEST(Queue, OverdueSaysWhetherNewWorkCanBeServed) {
  Harness h(short_queue());
  h.model("a", gib(10));
  h.arrive("t1", "a");
  EXPECT_FALSE(h.scheduler().overdue());
  h.arrive("t2", "a");
  EXPECT_TRUE(h.scheduler().overdue());
}

TEST(Queue, WaitingNamesThePositionAndWhatIsWaitedFor) {
  Harness h(limits(gib(16)));
  h.model("a", gib(10));
  h.model("b", gib(10));
  h.model("c", gib(10));
  h.arrive("a1", "a");
  h.ready("a");
  h.arrive("b1", "b");
  h.arrive("c1", "c");
  const auto waiting = h.scheduler().waiting();
  ASSERT_EQ(waiting.size(), 2U);
  EXPECT_EQ(waiting[0].model, h.id("b"));
  EXPECT_EQ(waiting[0].position, 1);
  EXPECT_EQ(waiting[1].position, 2);
  EXPECT_EQ(waiting[0].waiting_for, WaitingFor::Memory);
  EXPECT_THAT(waiting[0].blockers, ElementsAre(h.id("a")));
  EXPECT_TRUE(waiting[0].eta.has_value());
}

}  // namespace
}  // namespace hf::core
