#include "api/recent_use.h"

#include <gtest/gtest.h>

namespace hf::api {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr ModelId kA(0);
constexpr ModelId kB(1);
constexpr UserId kAnn(1);
constexpr UserId kBob(2);

TEST(RecentUse, OthersAreEverybodyElseOfThatModel) {
  RecentUse uses;
  const TimePoint now{minutes(60)};
  EXPECT_FALSE(uses.by_others(kA, kAnn, now));
  uses.note(kA, kAnn, now);
  uses.note(kB, kBob, now);
  EXPECT_FALSE(uses.by_others(kA, kAnn, now));
  uses.note(kA, kBob, now);
  EXPECT_TRUE(uses.by_others(kA, kAnn, now));
  EXPECT_TRUE(uses.by_others(kA, kBob, now));
}

TEST(RecentUse, IsForgottenAfterAWhile) {
  RecentUse uses;
  const TimePoint now{minutes(60)};
  uses.note(kA, kBob, now);
  EXPECT_TRUE(uses.by_others(kA, kAnn, now + RecentUse::kLately));
  EXPECT_FALSE(uses.by_others(kA, kAnn, now + RecentUse::kLately + seconds(1)));
  uses.note(kA, kBob, now + minutes(4));
  EXPECT_TRUE(uses.by_others(kA, kAnn, now + minutes(8)));
}

}  // namespace
}  // namespace hf::api
