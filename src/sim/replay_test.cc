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

// Two models that take turns, served for 3 s each; a loads in 10 s, b in 20 s.
Trace measured_turns(int rounds) {
  Trace trace;
  trace.models = {"a", "b"};
  trace.users = 1;
  for (int i = 0; i < 2 * rounds; ++i) {
    TraceRow row;
    row.at = TimePoint(seconds(100 * i));
    row.model = ModelId(static_cast<std::uint32_t>(i % 2));
    row.user = UserId(1);
    row.service = seconds(3);
    trace.rows.push_back(row);
  }
  return trace;
}

ReplayOptions measured(Bytes budget) {
  ReplayOptions options;
  options.limits.budget = core::Footprint::host(budget);
  options.models.resize(2);
  options.models[0].footprint = core::Footprint::host(2 * kGb);
  options.models[0].load = seconds(10);
  options.models[1].footprint = core::Footprint::host(3 * kGb);
  options.models[1].load = seconds(20);
  return options;
}

TEST(MeasuredReplay, RoomForBothLeavesOneLoadEach) {
  const ReplayResult tight = replay(measured_turns(50), measured(3 * kGb));
  EXPECT_EQ(tight.loads, 100U);
  EXPECT_EQ(tight.load_time, seconds(50 * 10 + 50 * 20));
  EXPECT_EQ(tight.wait.mean, seconds(15));
  EXPECT_EQ(tight.evictions, 99U);
  const ReplayResult roomy = replay(measured_turns(50), measured(6 * kGb));
  EXPECT_EQ(roomy.loads, 2U);
  EXPECT_EQ(roomy.bytes_loaded, 5 * kGb);
}

TEST(MeasuredReplay, SlotsAndServiceAreThoseOfTheRecord) {
  Trace trace = measured_turns(1);
  trace.rows[1].at = trace.rows[0].at;
  trace.rows[1].model = ModelId(0);
  EXPECT_THAT(replay(trace, measured(3 * kGb)).waits, ElementsAre(seconds(10), seconds(13)));
}

TEST(MeasuredReplay, APinnedModelIsThereAndStays) {
  ReplayOptions options = measured(4 * kGb);
  options.models[0].pinned = true;
  const ReplayResult pinned = replay(measured_turns(50), options);
  EXPECT_EQ(pinned.refused, 50U);  // b does not fit beside it
  EXPECT_EQ(pinned.loads, 1U);
  options.limits.budget = core::Footprint::host(5 * kGb);
  EXPECT_EQ(replay(measured_turns(50), options).loads, 2U);
}

TEST(MeasuredReplay, WhoIsOutOfPatienceLeavesTheQueueOnly) {
  Trace trace = measured_turns(1);
  trace.rows[0].patience = seconds(11);  // served from 10 s on
  trace.rows[1].patience = seconds(5);
  const ReplayResult result = replay(trace, measured(3 * kGb));
  EXPECT_THAT(result.waits, ElementsAre(seconds(10), std::nullopt));
  EXPECT_EQ(result.left, 1U);
  EXPECT_EQ(result.refused, 0U);
}

TEST(MeasuredReplay, AFullQueueRefusesIfAsked) {
  Trace trace = measured_turns(2);
  for (TraceRow& row : trace.rows) {
    row.at = TimePoint{};
    row.model = ModelId(0);
  }
  ReplayOptions options = measured(3 * kGb);
  options.limits.max_waiting = 2;
  EXPECT_EQ(replay(trace, options).refused, 0U);
  options.queue_limit = true;
  EXPECT_EQ(replay(trace, options).refused, 2U);
}

TEST(MeasuredReplay, WhoWaitsForAnAnswerAsksNoEarlier) {
  Trace trace = measured_turns(2);  // recorded at 0, 100, 200, 300 s
  for (std::size_t i = 1; i < trace.rows.size(); ++i) {
    trace.rows[i].after = i - 1;
    trace.rows[i].think = seconds(1);
  }
  ReplayOptions options = measured(3 * kGb);
  options.models[0].stop = seconds(5);
  options.models[1].stop = seconds(0);
  const ReplayResult result = replay(trace, options);
  // a 0-10-13, b asks at 14, stop 5 s, load 20 s, …: each waits for its own load only.
  EXPECT_THAT(result.waits, ElementsAre(seconds(10), seconds(25), seconds(10), seconds(25)));
  trace.rows[1].patience = seconds(2);  // leaves at 16 s; a is stopping, and loads at 19 s again
  EXPECT_THAT(replay(trace, options).waits,
              ElementsAre(seconds(10), std::nullopt, ::testing::_, seconds(25)));
}

TEST(MeasuredReplay, ARestartUnloadsWhatIsIdle) {
  ReplayOptions options = measured(6 * kGb);
  options.restarts = {TimePoint(seconds(250))};
  EXPECT_EQ(replay(measured_turns(50), options).loads, 4U);
}

TEST(MeasuredReplay, AnIdleModelIsUnloadedAfterItsTtl) {
  ReplayOptions options = measured(6 * kGb);
  options.models[0].ttl = seconds(60);
  EXPECT_EQ(replay(measured_turns(50), options).loads, 51U);
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
