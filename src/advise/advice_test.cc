#include "advise/advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "advise/example.h"
#include "advise/words.h"

namespace hf::advise {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Advice advice_for(const Case& history) {
  return advise(history, 2, {});
}

TEST(Advise, RoomForBothLeavesOneLoadEach) {
  const Case history = make_case(alternating(50), limits(5 * kGiB));
  const Advice advice = advice_for(history);
  EXPECT_EQ(advice.now().loads, 100U);
  // Each load but the first stops the other model before, for 0.2 s.
  EXPECT_EQ(advice.now().waited, milliseconds(100 * 10'000 + 99 * 200));
  EXPECT_EQ(advice.now().wait.p95, milliseconds(10'200));
  EXPECT_EQ(advice.trust, Trust::Good);
  ASSERT_TRUE(advice.more_memory.has_value());
  const Replayed& more = advice.replayed[*advice.more_memory];
  EXPECT_EQ(more.scenario.factor, 2);  // ×1.5 is 7.5 GiB, and both take 8
  EXPECT_EQ(more.figures.loads, 2U);
  EXPECT_EQ(more.figures.waited, seconds(20));
  EXPECT_FALSE(advice.less_memory.has_value());  // 3.75 GiB hold neither
  EXPECT_FALSE(advice.pin.has_value());          // then the other would never fit
  EXPECT_FALSE(advice.policy.has_value());       // there is no choice
}

TEST(Advise, BudgetsAscendAndThePresentIsAmongThem) {
  const Case history = make_case(alternating(10), limits(5 * kGiB));
  const Advice advice = advice_for(history);
  std::vector<double> factors;
  for (const Replayed& one : advice.replayed) {
    if (one.scenario.kind == Kind::Budget) {
      factors.push_back(one.scenario.factor);
    }
  }
  EXPECT_THAT(factors, ElementsAre(0.5, 0.75, 1, 1.5, 2, 3, 4));
  EXPECT_EQ(advice.replayed[advice.present].scenario.factor, 1);
  EXPECT_EQ(advice.replayed[0].figures.unserved, 20U);  // 2.5 GiB: nothing fits
}

TEST(Advise, ASmallerQuantisationTakesLessMemoryAndTime) {
  const Case history = make_case(alternating(50), limits(7 * kGiB));
  // 3 of its 4 GiB are weights of 8.5 bits; with 4.9 bits they take 1.73 GiB.
  EXPECT_NEAR(static_cast<double>(small_footprint(history, 0).total().count) / 1073741824, 2.729,
              0.001);
  const Advice advice = advice_for(history);
  ASSERT_TRUE(advice.quantisation.has_value());
  const Replayed& smaller = advice.replayed[*advice.quantisation];
  EXPECT_THAT(smaller.scenario.models, ElementsAre(0));  // b is small already
  EXPECT_EQ(smaller.figures.loads, 2U);
  EXPECT_NEAR(seconds_of(smaller.figures.load_time), 10 + 10 * 4.9 / 8.5, 0.001);
}

TEST(Advise, APinHelpsWhereItKeepsWhatManyUse) {
  // Two small models take turns with one large one that LRU-like values would keep.
  store::RequestLog log = alternating(60);
  log.models.push_back(logged_model("c", 4.5));
  for (std::size_t i = 1; i < log.requests.size(); i += 4) {
    log.requests[i].model = 2;
    log.loads[i].model = 2;
  }
  const Case history = make_case(log, limits(8 * kGiB));
  const Advice advice = advice_for(history);
  std::size_t single = 0;
  std::size_t pairs = 0;
  for (const Replayed& one : advice.replayed) {
    if (one.scenario.kind == Kind::Pin) {
      (one.scenario.models.size() == 1 ? single : pairs) += 1;
      EXPECT_LE(one.figures.loads, 120U);
    }
  }
  EXPECT_EQ(single, 3U);
  EXPECT_EQ(pairs, 3U);
}

TEST(Advise, SaysWhenTheRecordDisagrees) {
  store::RequestLog log = alternating(50);
  for (store::LoggedRequest& request : log.requests) {
    request.waited = seconds(500);
  }
  const Case history = make_case(log, limits(5 * kGiB));
  const Advice advice = advice_for(history);
  EXPECT_EQ(advice.trust, Trust::Poor);
  EXPECT_THAT(trust_line(history, advice, Language::English), HasSubstr("poor"));
}

TEST(Advise, LessMemoryWouldDoWhereItDoes) {
  const Case history = make_case(alternating(50), limits(20 * kGiB));
  const Advice advice = advice_for(history);
  EXPECT_FALSE(advice.more_memory.has_value());
  ASSERT_TRUE(advice.less_memory.has_value());
  EXPECT_EQ(advice.replayed[*advice.less_memory].scenario.factor, 0.5);
  const auto lines = verdict(history, advice, Language::English);
  EXPECT_EQ(lines.at(0),
            "More memory than 20.0 GiB would change next to nothing (2 cold loads, 20.0 s of "
            "waiting).");
  EXPECT_THAT(lines.at(1), HasSubstr("10.0 GiB would have done as well"));
}

TEST(Words, TheVerdictLeadsWithWhatMemoryWouldGive) {
  const Case history = make_case(alternating(50), limits(5 * kGiB));
  const Advice advice = advice_for(history);
  EXPECT_EQ(verdict(history, advice, Language::English).at(0),
            "With 10.0 GiB instead of 5.00 GiB: 2 instead of 100 cold loads, 20.0 s instead of "
            "17 min 0 s of waiting in 2 h 45 min.");
  EXPECT_THAT(verdict(history, advice, Language::Russian).at(0),
              HasSubstr("С бюджетом 10.0 GiB вместо 5.00 GiB: холодных загрузок 2 вместо 100"));
}

TEST(Words, ThousandsAreSetApart) {
  EXPECT_EQ(count_text(7, Language::English), "7");
  EXPECT_EQ(count_text(840, Language::English), "840");
  EXPECT_EQ(count_text(1'234'567, Language::English), "1,234,567");
}

TEST(Words, TooLittleHistorySaysHowMuchIsNeeded) {
  const Case history = make_case(alternating(2), limits(5 * kGiB));
  EXPECT_THAT(too_little(history, Language::English), HasSubstr("4 requests"));
  EXPECT_THAT(too_little(history, Language::English), HasSubstr("at least 20"));
}

}  // namespace
}  // namespace hf::advise
