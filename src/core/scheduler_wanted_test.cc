// Loads that nobody asked for: preloads, and victims that come back when the newcomer failed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing/harness.h"

namespace hf::core {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::gib;
using testing::Harness;
using ::testing::IsEmpty;
using testing::limits;

class Wanted : public ::testing::Test {
 protected:
  using Texts = testing::Texts;

  void SetUp() override {
    for (const char* name : {"a", "b", "c"}) {
      h.model(name, gib(7));
    }
  }
  Texts preload(const std::string& model) { return h.handle(event::Preload{h.id(model)}); }

  Harness h{limits(gib(16))};
};

TEST_F(Wanted, PreloadsComeOneAfterTheOtherAndTakeFreeBytesOnly) {
  EXPECT_THAT(preload("a"), ElementsAre("start a preload"));
  EXPECT_THAT(preload("b"), IsEmpty()) << "one load at a time";
  EXPECT_THAT(preload("c"), IsEmpty());
  EXPECT_THAT(h.ready("a"), ElementsAre("start b preload"));
  EXPECT_THAT(h.ready("b"), IsEmpty()) << "c does not fit beside them";
}

TEST_F(Wanted, APreloadWaitsUntilNobodyElseDoes) {
  h.arrive("t1", "a");
  EXPECT_THAT(h.arrive("t2", "b"), IsEmpty());
  EXPECT_THAT(preload("c"), IsEmpty());
  EXPECT_THAT(h.ready("a"), ElementsAre("grant t1", "start b head_fits"));
  EXPECT_THAT(h.ready("b"), ElementsAre("grant t2"));
  h.end("t1");
  EXPECT_THAT(h.unload("a", UnloadMode::IfIdle),
              ElementsAre("shut a unloaded_by_hand", "answer started", "stop a unloaded_by_hand"));
  EXPECT_THAT(h.exit("a"), ElementsAre("notice unloaded [a]", "start c preload"));
}

TEST_F(Wanted, APreloadedModelIsTheFirstVictim) {
  h.make_ready("a");
  preload("b");
  h.ready("b");
  EXPECT_THAT(h.arrive("t", "c"), ElementsAre("stop b idle_victim"));
}

TEST_F(Wanted, ARecentVictimReturnsWhenTheNewcomerFails) {
  h.make_ready("a");
  h.make_ready("b");
  EXPECT_THAT(h.arrive("t", "c"), ElementsAre("stop a idle_victim"));
  EXPECT_THAT(h.exit("a"), ElementsAre("notice unloaded [a]", "start c head_fits"));
  EXPECT_THAT(h.fail("c"), ElementsAre("refuse t load_failed", "start a victim_returns"));
}

TEST_F(Wanted, ARecentVictimReturnsWhenTheNewcomersFileBreaksMeanwhile) {
  h.make_ready("a");
  h.make_ready("b");
  EXPECT_THAT(h.arrive("t", "c"), ElementsAre("stop a idle_victim"));
  EXPECT_THAT(h.handle(event::ModelBroken{h.id("c")}), ElementsAre("refuse t model_broken"));
  EXPECT_THAT(h.exit("a"), ElementsAre("notice unloaded [a]", "start a victim_returns"));
}

TEST_F(Wanted, AVictimOfOldDoesNotReturn) {
  h.make_ready("a");
  h.make_ready("b");
  h.advance(minutes(20));
  h.arrive("t", "c");
  h.exit("a");
  EXPECT_THAT(h.fail("c"), ElementsAre("refuse t load_failed"));
}

TEST_F(Wanted, AVictimDoesNotReturnAfterASuccess) {
  h.make_ready("a");
  h.make_ready("b");
  h.arrive("t", "c");
  h.exit("a");
  h.ready("c");
  h.end("t");
  EXPECT_THAT(h.exit("c"), IsEmpty()) << "a crash later is nobody's failed load";
}

TEST_F(Wanted, AVictimThatSomebodyAsksForIsLoadedForThem) {
  h.make_ready("a");
  h.make_ready("b");
  h.arrive("t", "c");
  h.exit("a");
  EXPECT_THAT(h.arrive("u", "a"), IsEmpty());
  EXPECT_THAT(h.fail("c"), ElementsAre("refuse t load_failed", "start a head_fits"));
  EXPECT_THAT(h.ready("a"), ElementsAre("grant u"));
}

TEST_F(Wanted, APreloadWaitsForTheEndOfTheBackOff) {
  h.arrive("t", "a");
  h.fail("a");
  EXPECT_THAT(preload("a"), IsEmpty());
  EXPECT_THAT(h.advance(seconds(1)), ElementsAre("start a preload"));
}

TEST_F(Wanted, AVictimThatWasUnloadedByHandStaysAway) {
  h.make_ready("a");
  h.make_ready("b");
  h.arrive("t", "c");
  h.unload("a", UnloadMode::IfIdle);
  h.exit("a");
  EXPECT_THAT(h.fail("c"), ElementsAre("refuse t load_failed"));
}

class Settings : public Wanted {
 protected:
  Texts change(const Limits& limits) { return h.handle(event::LimitsChanged{limits}); }
  Limits now() { return h.scheduler().limits(); }
};

TEST_F(Settings, AShorterPatienceCountsAtOnce) {
  h.arrive("t1", "a");
  Limits hasty = now();
  hasty.patience = seconds(5);
  change(hasty);
  EXPECT_EQ(now().patience, seconds(5));
}

TEST_F(Settings, LongerWaitsBeginOnceNobodyWasPromisedLess) {
  Limits first = now();
  first.request_limit = seconds(60);
  change(first);
  h.arrive("t1", "a");
  const auto promised = h.bound("t1");
  Limits slow = now();
  slow.patience = seconds(300);
  slow.turn = seconds(300);
  slow.request_limit.reset();
  slow.max_waiting = 7;
  slow.loads_at_once = 2;
  change(slow);
  EXPECT_EQ(h.bound("t1"), promised);
  EXPECT_EQ(now().patience, seconds(30));
  EXPECT_EQ(now().turn, seconds(30));
  EXPECT_EQ(now().request_limit, seconds(60));
  EXPECT_EQ(now().loads_at_once, 1);
  EXPECT_EQ(now().max_waiting, 7) << "this makes nobody wait longer";
  h.ready("a");
  EXPECT_EQ(now().patience, seconds(300));
  EXPECT_EQ(now().turn, seconds(300));
  EXPECT_EQ(now().loads_at_once, 2);
  EXPECT_FALSE(now().request_limit);
}

}  // namespace
}  // namespace hf::core
