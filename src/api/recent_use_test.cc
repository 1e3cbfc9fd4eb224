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

TEST(RecentUse, OnlyOperatorsLetGoWhatTheyDidNotUse) {
  RecentUse uses;
  const TimePoint now{minutes(60)};
  Caller ann;
  ann.user = kAnn;
  ann.known = true;
  Caller operating = ann;
  operating.role = config::Role::Operator;
  EXPECT_FALSE(may_let_go(uses, ann, kA, now));
  EXPECT_TRUE(may_let_go(uses, operating, kA, now));
  uses.note(kA, kAnn, now);
  EXPECT_TRUE(may_let_go(uses, ann, kA, now + RecentUse::kLately));
  EXPECT_FALSE(may_let_go(uses, ann, kA, now + RecentUse::kLately + seconds(1)));
  EXPECT_FALSE(may_let_go(uses, ann, kB, now));
  uses.note(kA, kBob, now);
  EXPECT_FALSE(may_let_go(uses, ann, kA, now));
  EXPECT_FALSE(may_let_go(uses, operating, kA, now));
}

}  // namespace
}  // namespace hf::api
