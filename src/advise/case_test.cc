#include "advise/case.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "advise/example.h"

namespace hf::advise {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using store::Outcome;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(Case, IsTheRecordFromItsFirstRequestOn) {
  store::RequestLog log = alternating(2);
  log.loads[0].took = seconds(20);
  log.starts_ms = {log.requests[0].at_ms - 5, log.requests[2].at_ms + 50'000};
  log.older = 12;
  const Case result = make_case(log, limits(5 * kGiB));
  EXPECT_THAT(result.trace.models, ElementsAre("a", "b"));
  ASSERT_THAT(result.trace.rows, SizeIs(4));
  EXPECT_EQ(result.trace.rows[0].at, TimePoint{});
  EXPECT_EQ(result.trace.rows[3].at, TimePoint(seconds(300)));
  EXPECT_EQ(result.trace.rows[3].service, seconds(3));
  EXPECT_EQ(result.trace.rows[3].user, UserId(1));
  EXPECT_EQ(result.trace.users, 1U);
  EXPECT_EQ(result.models[0].load, seconds(15));  // 20 and 10
  EXPECT_EQ(result.models[1].load, seconds(10));
  EXPECT_EQ(result.models[0].slots, 2);
  EXPECT_EQ(result.facts[0].uses, 2U);
  EXPECT_THAT(result.restarts, ElementsAre(TimePoint(seconds(250))));
  EXPECT_EQ(result.recorded.loads, 4U);
  EXPECT_EQ(result.recorded.waited, seconds(40));
  EXPECT_EQ(result.recorded.wait.mean, seconds(10));
  EXPECT_EQ(result.older, 12U);
  EXPECT_EQ(result.to_ms - result.from_ms, 300'000);
}

TEST(Case, FillsTheGapsOfWhoWasNeverServed) {
  store::RequestLog log = alternating(2);
  log.models.push_back(logged_model("c", 0));
  log.requests[1].outcome = Outcome::LeftQueue;
  log.requests[1].served = {};
  log.requests[2].served = seconds(9);
  log.requests.push_back(
      {.at_ms = log.requests[3].at_ms + 1000, .model = 2, .outcome = Outcome::NeverFits});
  const Case result = make_case(log, limits(5 * kGiB));
  EXPECT_EQ(result.trace.rows[1].service, seconds(3));  // b's other answer
  EXPECT_EQ(result.trace.rows[1].patience, seconds(10));
  EXPECT_EQ(result.trace.rows[2].patience, std::nullopt);
  EXPECT_EQ(result.trace.rows[4].service, seconds(5));  // the mean of 3, 9 and 3 s
  EXPECT_EQ(result.models[2].load, seconds(7));         // never loaded: as reckoned
  EXPECT_EQ(result.recorded.unserved, 2U);
}

TEST(Case, ALoopOfAskingAndWaitingStaysOne) {
  store::RequestLog log = alternating(2);  // of one user; the first ends after 13 s
  log.requests[1].at_ms = log.requests[0].at_ms + 13'500;
  log.requests[2].at_ms = log.requests[1].at_ms + 12'999;  // rounded: just after the second's end
  log.requests[3].at_ms = log.requests[2].at_ms + 13'000 + 2'001;
  const Case result = make_case(log, limits(5 * kGiB));
  EXPECT_EQ(result.trace.rows[0].after, std::nullopt);
  EXPECT_EQ(result.trace.rows[1].after, 0U);
  EXPECT_EQ(result.trace.rows[1].think, milliseconds(500));
  EXPECT_EQ(result.trace.rows[2].after, 1U);
  EXPECT_EQ(result.trace.rows[2].think, Duration::zero());
  EXPECT_EQ(result.trace.rows[3].after, std::nullopt);  // a person who read for a while
  log.requests[1].user = 6;
  EXPECT_EQ(make_case(log, limits(5 * kGiB)).trace.rows[1].after, std::nullopt);
}

TEST(Case, LeavesOutWhatIsNotAboutMemory) {
  store::RequestLog log = alternating(2);
  log.models.push_back(logged_model("broken", 0));
  log.models.push_back(logged_model("pinned", 0));
  log.models[3].pinned = true;
  log.requests.push_back({.at_ms = log.requests[3].at_ms, .model = 2, .outcome = Outcome::Failed});
  const Case result = make_case(log, limits(5 * kGiB));
  EXPECT_THAT(result.trace.models, ElementsAre("a", "b", "pinned"));  // it takes its memory
  EXPECT_TRUE(result.models[2].pinned);
  EXPECT_THAT(result.trace.rows, SizeIs(4));
  EXPECT_EQ(result.recorded.requests, 5U);
}

TEST(Case, NoHistoryIsACaseToo) {
  const Case result = make_case({}, limits(5 * kGiB));
  EXPECT_THAT(result.trace.rows, IsEmpty());
  EXPECT_EQ(result.recorded.requests, 0U);
}

}  // namespace
}  // namespace hf::advise
