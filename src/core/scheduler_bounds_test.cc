// What the published bound is made of, and that what happens later keeps it. Each of these was
// broken by a case that the adversarial search found (docs/adr/0007-what-the-bound-counts.md).
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

Limits with_request_limit(Bytes budget) {
  Limits l = limits(budget);
  l.request_limit = seconds(60);
  return l;
}

TEST(Bounds, BothAttemptsOfALoadAndTheStopsBetweenAndAfterAreCounted) {
  Harness h(with_request_limit(gib(16)));
  h.model("idle", gib(6));
  h.model("a", gib(9));
  h.make_ready("idle");
  h.arrive("t1", "a");
  EXPECT_EQ(h.bound("t1"), 2 * seconds(60 + 10));
  h.advance(seconds(60));
  EXPECT_THAT(h.fail("a", LoadFailure::OutOfMemory), ElementsAre("stop idle idle_victim"));
  h.advance(seconds(10));
  EXPECT_THAT(h.exit("idle"), Contains("start a retry_after_oom"));
  h.advance(seconds(60 + 10));  // a load that runs into its deadline is stopped, in ten seconds
  EXPECT_GE(*h.bound("t1"), Duration::zero());
  EXPECT_THAT(h.fail("a", LoadFailure::TimedOut), Contains("refuse t1 load_failed"));
}

TEST(Bounds, LoadsThatRunOutOfMemoryAtOnceAreAllTriedAgain) {
  Limits l = with_request_limit(gib(32));
  l.loads_at_once = 2;
  Harness h(l);
  h.model("idle", gib(12));
  h.model("a", gib(8));
  h.model("b", gib(8));
  h.make_ready("idle");
  h.arrive("a1", "a");
  h.arrive("b1", "b");
  EXPECT_EQ(h.bound("b1"), 2 * seconds(60 + 10) + seconds(10)) << "they make room in turn";
  EXPECT_THAT(h.fail("a", LoadFailure::OutOfMemory), ElementsAre("start a retry_after_oom"));
  EXPECT_THAT(h.fail("b", LoadFailure::OutOfMemory), ElementsAre("start b retry_after_oom"));
  h.end("a1");
  h.end("b1");
}

TEST(Bounds, ASecondOutOfMemoryDoesNotTakeTheFirstOnesTurn) {
  Limits l = with_request_limit(gib(20));
  l.loads_at_once = 2;
  Harness h(l);
  h.model("idle", gib(4));
  h.model("a", gib(8));
  h.model("b", gib(8));
  h.make_ready("idle");
  h.arrive("a1", "a");
  h.arrive("b1", "b");
  h.handle(event::MemoryReading{91});  // nothing is loaded for a while
  EXPECT_THAT(h.fail("a", LoadFailure::OutOfMemory), IsEmpty());
  EXPECT_THAT(h.fail("b", LoadFailure::OutOfMemory), IsEmpty());
  h.exit("idle");
  EXPECT_THAT(h.reading(20), ElementsAre("start a retry_after_oom", "start b retry_after_oom"));
}

TEST(Bounds, WhoNoLongerFitsBesideAPinnedModelThatNeedsMoreIsRefused) {
  Harness h(with_request_limit(gib(16)));
  h.model("pinned", gib(8));
  h.model("b", gib(8));
  h.pin("pinned");
  h.arrive("p1", "pinned");
  EXPECT_THAT(h.arrive("b1", "b"), IsEmpty());
  EXPECT_THAT(h.fail("pinned", LoadFailure::OutOfMemory),
              ElementsAre("refuse b1 never_fits", "start pinned retry_after_oom"));
}

// Q follows the measured load. Who waits was told a deadline by the shorter turn.
TEST(Bounds, ALongerMeasuredTurnCountsOnceNobodyWaitsWhoWasToldLess) {
  Limits l = with_request_limit(gib(16));
  l.turn.reset();
  Harness h(l);
  h.model("a", gib(10));
  h.model("b", gib(10));
  h.arrive("a1", "a");
  h.ready("a");
  h.arrive("b1", "b");
  event::SpecTuned tuned;
  tuned.model = h.id("a");
  tuned.reload = seconds(30);
  h.handle(tuned);
  EXPECT_THAT(h.advance(seconds(30)), ElementsAre("shut a owner_waits"));
  h.end("a1");
  h.exit("a");
  h.ready("b");
  EXPECT_THAT(h.arrive("a2", "a"), IsEmpty());
  h.handle([&] {
    tuned.model = h.id("b");
    return tuned;
  }());
  EXPECT_THAT(h.advance(seconds(299)), Not(Contains("shut b owner_waits")));
  EXPECT_THAT(h.advance(seconds(1)), ElementsAre("shut b owner_waits")) << "a2 was told 300 s";
}

TEST(Bounds, PressurePostponesADeadlineOnlyByTheTimeThatItsTicketWaited) {
  Harness h(with_request_limit(gib(16)));
  h.model("a", gib(10));
  h.reading(91);
  h.advance(seconds(50));
  h.arrive("t1", "a");
  const auto told = *h.bound("t1");
  h.advance(seconds(7));
  EXPECT_EQ(h.scheduler().waiting_ticket(TicketId(0))->bound, told);
  h.reading(91);
  EXPECT_EQ(h.bound("t1"), told);
}

TEST(Bounds, CountTheDeadlineThatALoadWasStartedWith) {
  Limits l = limits(gib(16));
  l.request_limit = std::chrono::seconds(10);
  Harness h(l);
  ModelSpec large = spec("x", gib(10));
  large.load_deadline = std::chrono::seconds(400);
  h.model(large);
  h.model("z", gib(10));
  h.arrive("t", "x");
  ModelSpec small = large;
  small.load_deadline = std::chrono::seconds(60);
  h.model(small, true);
  h.arrive("u", "z");
  EXPECT_GT(h.bound("u"), 2 * std::chrono::seconds(400)) << "x may take that long yet";
}

}  // namespace
}  // namespace hf::core
