#include "sim/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hf::sim {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kHeading = "t_seconds,model,user,prompt_tokens,output_tokens\n";

std::string error_of(const std::string& rows) {
  const auto trace = parse_trace(kHeading + rows, "t.csv");
  return trace ? "" : trace.error().message;
}

TEST(Trace, ReadsRequests) {
  const auto trace = parse_trace(std::string(kHeading) +
                                     "0,org/b:7b,ann,10,20\n1.5,a,ben,0,3\n"
                                     "2,a,ann,5,0\n",
                                 "t.csv");
  ASSERT_TRUE(trace) << trace.error().message;
  EXPECT_THAT(trace->models, ElementsAre("a", "org/b:7b"));
  EXPECT_EQ(trace->users, 2U);
  ASSERT_EQ(trace->rows.size(), 3U);
  EXPECT_EQ(trace->rows[0].model, ModelId(1));
  EXPECT_EQ(trace->rows[0].user, UserId(1));
  EXPECT_EQ(trace->rows[0].prompt_tokens, 10);
  EXPECT_EQ(trace->rows[0].output_tokens, 20);
  EXPECT_EQ(trace->rows[1].at, TimePoint(milliseconds(1500)));
  EXPECT_EQ(trace->rows[1].user, UserId(2));
  EXPECT_EQ(trace->rows[2].user, UserId(1));
}

TEST(Trace, PutsRowsInOrderOfTime) {
  const auto trace =
      parse_trace(std::string(kHeading) + "5,a,u,1,1\n2,a,u,2,2\n5,a,u,3,3\n", "t.csv");
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->rows[0].prompt_tokens, 2);
  EXPECT_EQ(trace->rows[1].prompt_tokens, 1);  // of one moment: as in the file
  EXPECT_EQ(trace->rows[2].prompt_tokens, 3);
}

TEST(Trace, SaysWhichRowCannotBeMeant) {
  EXPECT_EQ(error_of("0,a,u,1,1\n-1,a,u,1,1\n"),
            "t.csv:3: t_seconds: not a time in seconds: \"-1\"");
  for (const char* time : {"", "nan", "inf", "1e300", "1s", "0x1"}) {
    EXPECT_THAT(error_of(std::string(time) + ",a,u,1,1\n"), HasSubstr("t.csv:2: t_seconds"))
        << time;
  }
  EXPECT_EQ(error_of("0,,u,1,1\n"), "t.csv:2: model: the name is empty");
  for (const char* tokens : {"", "-1", "1.5", "many", "9999999999999999999"}) {
    EXPECT_THAT(error_of("0,a,u," + std::string(tokens) + ",1\n"),
                HasSubstr("t.csv:2: prompt_tokens: not a count"));
    EXPECT_THAT(error_of("0,a,u,1," + std::string(tokens) + "\n"),
                HasSubstr("t.csv:2: output_tokens: not a count"));
  }
  EXPECT_THAT(error_of("0,a,u,1\n"), HasSubstr("t.csv:2: 4 fields"));
  EXPECT_EQ(error_of(""), "t.csv: there is no request in it");
}

TEST(Trace, PoissonUsersAskAtTheGivenRate) {
  PoissonUsers users;
  users.requests_per_second = 2;
  const Trace trace = poisson_trace(users, 1);
  EXPECT_NEAR(static_cast<double>(trace.rows.size()), 2 * 7200, 4 * 120);  // four deviations
  EXPECT_TRUE(std::is_sorted(trace.rows.begin(), trace.rows.end(),
                             [](const TraceRow& a, const TraceRow& b) { return a.at < b.at; }));
  EXPECT_LT(trace.rows.back().at, TimePoint(users.span));
  EXPECT_EQ(poisson_trace(users, 1).rows.size(), trace.rows.size());
  EXPECT_NE(poisson_trace(users, 2).rows.front().at, trace.rows.front().at);
}

}  // namespace
}  // namespace hf::sim
