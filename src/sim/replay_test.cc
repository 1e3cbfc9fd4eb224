#include "sim/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hf::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Bytes kGb{1'000'000'000};

Trace trace_of(const std::string& rows) {
  return parse_trace("t_seconds,model,user,prompt_tokens,output_tokens\n" + rows, "t.csv").value();
}

ReplayOptions options(Bytes budget, std::vector<Bytes> sizes) {
  ReplayOptions options;
  options.limits.budget = core::Footprint::host(budget);
  options.sizes = std::move(sizes);
  return options;
}

// a loads in 2.5 s, b in 3.5 s, both make 100 tokens a second; there is room for one of them.
const char* const kFour =
    "0,a,u1,2500,100\n"  // a: 0 to 2.5 s; answered at 4.5
    "1,b,u2,0,200\n"     // b: 4.5 to 8 s; answered at 10
    "5,a,u1,0,100\n"     // a: 10 to 12.5 s; answered at 13.5
    "13,a,u3,0,1\n";     // finds it loaded, with a free slot

TEST(Replay, TakesWhatItTakesByHand) {
  const ReplayResult result = replay(trace_of(kFour), options(5 * kGb, {2 * kGb, 4 * kGb}));
  EXPECT_THAT(result.waits,
              ElementsAre(milliseconds(2500), seconds(7), milliseconds(7500), seconds(0)));
  EXPECT_EQ(result.loads, 3U);
  EXPECT_EQ(result.load_time, milliseconds(2500 + 3500 + 2500));
  EXPECT_EQ(result.bytes_loaded, 8 * kGb);
  EXPECT_EQ(result.evictions, 2U);
  EXPECT_EQ(result.wait.mean, milliseconds(17000 / 4));
  EXPECT_EQ(result.wait.p50, milliseconds(2500));
  EXPECT_EQ(result.wait.p99, milliseconds(7500));
  EXPECT_THAT(result.late, IsEmpty());
  EXPECT_GT(result.worst_wait_over_bound, 0);
}

TEST(Replay, AStopTakesTheTimeThatItIsGiven) {
  ReplayOptions slow = options(5 * kGb, {2 * kGb, 4 * kGb});
  slow.stop = seconds(1);
  EXPECT_THAT(replay(trace_of(kFour), slow).waits,
              ElementsAre(milliseconds(2500), seconds(8), milliseconds(9500), milliseconds(1500)));
}

TEST(Replay, WithRoomForAllEachModelIsLoadedOnce) {
  const ReplayResult result = replay(trace_of(kFour), options(6 * kGb, {2 * kGb, 4 * kGb}));
  EXPECT_EQ(result.loads, 2U);
  EXPECT_EQ(result.evictions, 0U);
  EXPECT_EQ(result.waits[1], seconds(5));  // one load at a time: until 2.5, then 3.5 s
}

TEST(Replay, FourAnswersAtOnceAndTheFifthWaits) {
  const Trace five = trace_of("0,a,u,0,100\n0,a,u,0,200\n0,a,u,0,300\n0,a,u,0,400\n0,a,u,0,100\n");
  EXPECT_THAT(replay(five, options(5 * kGb, {2 * kGb})).waits,
              ElementsAre(milliseconds(2500), milliseconds(2500), milliseconds(2500),
                          milliseconds(2500), milliseconds(3500)));
}

TEST(Replay, UsersShareAModelEvenly) {
  std::string rows;
  for (int i = 0; i < 40; ++i) {
    rows += "0,a,many,0,100\n";
  }
  const ReplayResult result =
      replay(trace_of(rows + "0.1,a,one,0,100\n"), options(5 * kGb, {2 * kGb}));
  EXPECT_EQ(result.waits[40], milliseconds(2400));  // with the first four
  EXPECT_EQ(result.waits[39], milliseconds(2500 + 10'000));
}

TEST(Replay, RefusesWhatCanNeverFit) {
  const ReplayResult result = replay(trace_of(kFour), options(3 * kGb, {2 * kGb, 4 * kGb}));
  EXPECT_EQ(result.refused, 1U);
  EXPECT_EQ(result.waits[1], std::nullopt);
  EXPECT_EQ(result.evictions, 0U);
  EXPECT_EQ(result.wait.max, milliseconds(2500));
}

TEST(Replay, TheRequestLimitEndsAnAnswerThatOthersWaitFor) {
  ReplayOptions limited = options(5 * kGb, {2 * kGb, 4 * kGb});
  limited.limits.request_limit = seconds(10);
  // a answers from 2.5 s on for 100 s; its turn is over at 32.5 s, then it is bitten.
  const ReplayResult result = replay(trace_of("0,a,u1,0,10000\n1,b,u2,0,100\n"), limited);
  EXPECT_EQ(result.cut, 1U);
  EXPECT_EQ(result.waits[1], milliseconds(32'500 + 10'000 + 3'500 - 1'000));
}

TEST(Replay, CountsWaitsBeyondTheirBound) {
  std::string rows = "100.5,b,u2,0,100\n";
  for (int t = 0; t < 2000; t += 20) {  // a is in use without a break
    rows += std::to_string(t) + ",a,u1,0,3000\n";
  }
  ReplayOptions busy = options(5 * kGb, {2 * kGb, 4 * kGb});
  const ReplayResult good = replay(trace_of(rows), busy);
  EXPECT_THAT(good.late, IsEmpty());
  EXPECT_LT(good.wait.max, seconds(70));
  busy.mutant = core::Mutant::NoOwner;  // nobody is gated any more
  const ReplayResult bad = replay(trace_of(rows), busy);
  EXPECT_THAT(bad.late, ElementsAre(6));  // six requests came before it
  EXPECT_GT(bad.worst_wait_over_bound, 1);
}

TEST(Replay, TheSameInputGivesTheSameFigures) {
  PoissonUsers users;
  users.users = 5;
  const Trace trace = poisson_trace(users, 3);
  const ReplayOptions same = options(16 * kGb, {4 * kGb, 5 * kGb, 6 * kGb, 7 * kGb, 8 * kGb});
  const ReplayResult once = replay(trace, same);
  const ReplayResult again = replay(trace, same);
  EXPECT_EQ(once.waits, again.waits);
  EXPECT_EQ(once.load_time, again.load_time);
  EXPECT_GT(once.evictions, 10U);
}

TEST(WaitFigures, ArePercentilesByNearestRank) {
  std::vector<std::optional<Duration>> waits{std::nullopt};
  for (int i = 200; i >= 1; --i) {
    waits.emplace_back(seconds(i));
  }
  const WaitFigures figures = wait_figures(waits);
  EXPECT_EQ(figures.mean, milliseconds(100'500));
  EXPECT_EQ(figures.p50, seconds(100));
  EXPECT_EQ(figures.p95, seconds(190));
  EXPECT_EQ(figures.p99, seconds(198));
  EXPECT_EQ(figures.max, seconds(200));
  EXPECT_EQ(wait_figures({}).max, Duration::zero());
}

}  // namespace
}  // namespace hf::sim
