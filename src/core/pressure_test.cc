#include "core/pressure.h"

#include <gtest/gtest.h>

namespace hf::core {
namespace {

TEST(Pressure, EntersAtTheHighMarkAndLeavesOnlyBelowTheLowMark) {
  Pressure p{Limits{}};
  EXPECT_FALSE(p.take(89.9).entered_high);
  EXPECT_TRUE(p.take(90).entered_high);
  EXPECT_EQ(p.level(), PressureLevel::High);
  EXPECT_FALSE(p.take(85).left);
  EXPECT_EQ(p.level(), PressureLevel::High);
  EXPECT_TRUE(p.take(84.9).left);
  EXPECT_EQ(p.level(), PressureLevel::Normal);
}

TEST(Pressure, BetweenTheMarksIsNormalWhenItCameFromBelow) {
  Pressure p{Limits{}};
  p.take(88);
  EXPECT_EQ(p.level(), PressureLevel::Normal);
  EXPECT_FALSE(p.may_evict());
}

TEST(Pressure, FallsFromCriticalToHighBetweenTheMarks) {
  Pressure p{Limits{}};
  EXPECT_TRUE(p.take(96.2).entered_critical);
  EXPECT_FALSE(p.take(97).entered_critical);
  p.take(87);
  EXPECT_EQ(p.level(), PressureLevel::High);
}

TEST(Pressure, EvictsOneAtATimeAndWaitsForReapAndReading) {
  Pressure p{Limits{}};
  p.take(92);
  EXPECT_TRUE(p.may_evict());
  p.evicted();
  EXPECT_FALSE(p.may_evict());
  p.take(91);  // not reaped yet: says nothing about the eviction
  EXPECT_FALSE(p.may_evict());
  p.reaped();
  EXPECT_FALSE(p.may_evict());
  p.take(89);
  EXPECT_TRUE(p.may_evict());
}

TEST(Pressure, TwoFruitlessEvictionsEndTheRound) {
  Pressure p{Limits{}};
  p.take(92);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(p.may_evict());
    p.evicted();
    p.reaped();
    p.take(92);
  }
  EXPECT_FALSE(p.may_evict());
  p.take(92.5);
  EXPECT_FALSE(p.may_evict());
  p.take(93.5);  // worse by more than a point: a new round
  EXPECT_TRUE(p.may_evict());
}

TEST(Pressure, AFruitfulEvictionStartsTheCountAnew) {
  Pressure p{Limits{}};
  p.take(94);
  for (const double after : {94.0, 93.0, 93.0}) {
    ASSERT_TRUE(p.may_evict());
    p.evicted();
    p.reaped();
    p.take(after);
  }
  EXPECT_TRUE(p.may_evict());
}

TEST(Pressure, ARoundByHandIsANoOpBelowTheLowMark) {
  Pressure p{Limits{}};
  p.take(50);
  p.start_round();
  EXPECT_FALSE(p.may_evict());
  p.take(86);
  p.start_round();
  EXPECT_TRUE(p.may_evict());
}

}  // namespace
}  // namespace hf::core
