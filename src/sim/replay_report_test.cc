#include "sim/replay_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hf::sim {
namespace {

using core::VictimPolicy;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

ReplayResult result() {
  ReplayResult r;
  r.requests = 4;
  r.refused = 1;
  r.loads = 3;
  r.load_time = milliseconds(8500);
  r.bytes_loaded = Bytes(8'000'000'000);
  r.evictions = 2;
  r.wait = {milliseconds(4250), milliseconds(2500), milliseconds(7400), milliseconds(7500),
            milliseconds(7501)};
  r.worst_wait_over_bound = 0.25;
  return r;
}

TEST(ReplayReport, KnowsThePoliciesByName) {
  for (const char* name : {"holdfast", "lru", "lfu", "gdsf", "largest"}) {
    ASSERT_TRUE(policy_named(name)) << name;
    EXPECT_EQ(name_of(*policy_named(name)), name);
  }
  EXPECT_EQ(policy_named("LRU"), std::nullopt);
}

TEST(ReplayReport, PrintsOneJsonObject) {
  EXPECT_EQ(replay_json(result(), VictimPolicy::Lru),
            "{\"policy\":\"lru\",\"loads\":3,\"load_s\":8.500,\"bytes_loaded\":8000000000,"
            "\"wait_s\":{\"mean\":4.250,\"p50\":2.500,\"p95\":7.400,\"p99\":7.500,\"max\":7.501},"
            "\"bound_violations\":0,\"evictions\":2,\"requests\":4,\"refused\":1,\"cut\":0,"
            "\"worst_wait_over_bound\":0.2500}\n");
}

TEST(ReplayReport, TellsPeopleWhoWaitedTooLong) {
  Trace trace;
  trace.models = {"a"};
  trace.rows.resize(4);
  trace.rows[3].at = TimePoint(milliseconds(1500));
  EXPECT_THAT(replay_text(trace, result(), VictimPolicy::Holdfast), Not(HasSubstr("late:")));
  ReplayResult late = result();
  late.late = {3};
  EXPECT_THAT(replay_text(trace, late, VictimPolicy::Holdfast),
              HasSubstr("waits beyond their published bound: 1"));
  EXPECT_THAT(replay_text(trace, late, VictimPolicy::Holdfast),
              HasSubstr("late: the request at 1.500 s for a\n"));
}

}  // namespace
}  // namespace hf::sim
