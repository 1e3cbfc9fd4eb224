#include "core/pressure.h"

#include <gtest/gtest.h>

namespace hf::core {
namespace {

using std::chrono::seconds;

Pressure::Step take(Pressure& p, double used_percent) {
  return p.take(used_percent, false, TimePoint{});
}
Pressure::Step stall(Pressure& p, double used_percent, seconds at) {
  return p.take(used_percent, true, TimePoint(at));
}
void evict_and_reap(Pressure& p, seconds at = seconds(0)) {
  ASSERT_TRUE(p.may_evict());
  p.evicted();
  p.reaped(TimePoint(at));
}

TEST(Pressure, EntersAtTheHighMarkAndLeavesOnlyBelowTheLowMark) {
  Pressure p{Limits{}};
  EXPECT_FALSE(take(p, 89.9).entered_high);
  EXPECT_TRUE(take(p, 90).entered_high);
  EXPECT_EQ(p.level(), PressureLevel::High);
  EXPECT_FALSE(take(p, 85).left);
  EXPECT_EQ(p.level(), PressureLevel::High);
  EXPECT_TRUE(take(p, 84.9).left);
  EXPECT_EQ(p.level(), PressureLevel::Normal);
}

TEST(Pressure, BetweenTheMarksIsNormalWhenItCameFromBelow) {
  Pressure p{Limits{}};
  take(p, 88);
  EXPECT_EQ(p.level(), PressureLevel::Normal);
  EXPECT_FALSE(p.may_evict());
}

TEST(Pressure, FallsFromCriticalToHighBetweenTheMarks) {
  Pressure p{Limits{}};
  EXPECT_TRUE(take(p, 96.2).entered_critical);
  EXPECT_FALSE(take(p, 97).entered_critical);
  take(p, 87);
  EXPECT_EQ(p.level(), PressureLevel::High);
}

TEST(Pressure, EvictsOneAtATimeAndWaitsForReapAndReading) {
  Pressure p{Limits{}};
  take(p, 92);
  EXPECT_TRUE(p.may_evict());
  p.evicted();
  EXPECT_FALSE(p.may_evict());
  take(p, 91);  // not reaped yet: says nothing about the eviction
  EXPECT_FALSE(p.may_evict());
  p.reaped(TimePoint{});
  EXPECT_FALSE(p.may_evict());
  take(p, 89);
  EXPECT_TRUE(p.may_evict());
}

TEST(Pressure, TwoFruitlessEvictionsEndTheRound) {
  Pressure p{Limits{}};
  take(p, 92);
  for (int i = 0; i < 2; ++i) {
    evict_and_reap(p);
    take(p, 92);
  }
  EXPECT_FALSE(p.may_evict());
  take(p, 92.5);
  EXPECT_FALSE(p.may_evict());
  take(p, 93.5);  // worse by more than a point: a new round
  EXPECT_TRUE(p.may_evict());
}

TEST(Pressure, AFruitfulEvictionStartsTheCountAnew) {
  Pressure p{Limits{}};
  take(p, 94);
  for (const double after : {94.0, 93.0, 93.0}) {
    evict_and_reap(p);
    take(p, after);
  }
  EXPECT_TRUE(p.may_evict());
}

TEST(Pressure, ARoundByHandIsANoOpBelowTheLowMark) {
  Pressure p{Limits{}};
  take(p, 50);
  p.start_round();
  EXPECT_FALSE(p.may_evict());
  take(p, 86);
  p.start_round();
  EXPECT_TRUE(p.may_evict());
}

TEST(Pressure, ARoundOwesNothingToOneThatWasFruitlessLongAgo) {
  Pressure p{Limits{}};
  take(p, 94);
  for (int i = 0; i < 2; ++i) {
    evict_and_reap(p);
    take(p, 94);
  }
  ASSERT_FALSE(p.may_evict());
  take(p, 50);
  take(p, 97);  // straight to critical: an emergency cleanup, and no round
  EXPECT_FALSE(p.may_evict());
  take(p, 92);
  EXPECT_TRUE(p.may_evict());
}

TEST(Pressure, AStallIsHighWhateverThePercentage) {
  Pressure p{Limits{}};
  take(p, 20);
  EXPECT_TRUE(stall(p, 20, seconds(0)).entered_high);
  EXPECT_EQ(p.level(), PressureLevel::High);
  EXPECT_TRUE(p.by_stall());
  EXPECT_TRUE(p.may_evict());
  EXPECT_EQ(p.stalled_until(), TimePoint(seconds(30)));
}

TEST(Pressure, AStallIsOverThirtySecondsAfterTheLastOne) {
  Pressure p{Limits{}};
  stall(p, 20, seconds(0));
  EXPECT_FALSE(stall(p, 20, seconds(10)).entered_high);
  EXPECT_EQ(p.stalled_until(), TimePoint(seconds(40)));
  EXPECT_FALSE(p.take(20, false, TimePoint(seconds(39))).left);
  EXPECT_EQ(p.level(), PressureLevel::High);
  EXPECT_TRUE(p.end_stall(TimePoint(seconds(40))).left);
  EXPECT_EQ(p.level(), PressureLevel::Normal);
  EXPECT_EQ(p.stalled_until(), std::nullopt);
}

TEST(Pressure, AfterAStallTheMarksDecide) {
  Pressure p{Limits{}};
  stall(p, 92, seconds(0));
  EXPECT_FALSE(p.by_stall()) << "the percentage says the same";
  take(p, 88);
  EXPECT_FALSE(p.end_stall(TimePoint(seconds(30))).left);
  EXPECT_EQ(p.level(), PressureLevel::High);
  EXPECT_TRUE(take(p, 80).left);
}

TEST(Pressure, BetweenTheMarksIsNormalAgainAfterAStall) {
  Pressure p{Limits{}};
  stall(p, 88, seconds(0));
  EXPECT_TRUE(p.end_stall(TimePoint(seconds(30))).left);
  EXPECT_FALSE(p.may_evict());
}

TEST(Pressure, AStallDoesNotHideTheCriticalMark) {
  Pressure p{Limits{}};
  stall(p, 50, seconds(0));
  EXPECT_TRUE(stall(p, 96, seconds(1)).entered_critical);
  EXPECT_EQ(p.level(), PressureLevel::Critical);
  stall(p, 50, seconds(2));
  EXPECT_EQ(p.level(), PressureLevel::High);
}

TEST(Pressure, ARoundLastsWhileReadingsTellOfAStall) {
  Pressure p{Limits{}};
  stall(p, 50, seconds(0));
  evict_and_reap(p);
  EXPECT_FALSE(p.may_evict()) << "a new reading first";
  stall(p, 49, seconds(4));
  EXPECT_FALSE(p.may_evict()) << "the readers cannot know yet that it helped";
  stall(p, 49, seconds(5));
  EXPECT_TRUE(p.may_evict());
  p.take(49, false, TimePoint(seconds(6)));
  EXPECT_FALSE(p.may_evict());
  EXPECT_EQ(p.level(), PressureLevel::High);
  stall(p, 49, seconds(7));
  EXPECT_TRUE(p.may_evict());
}

TEST(Pressure, TwoEvictionsThatDidNotHelpEndTheRoundOfAStall) {
  Pressure p{Limits{}};
  stall(p, 50, seconds(0));
  for (int i = 1; i <= 2; ++i) {
    evict_and_reap(p, seconds(5 * i - 5));
    stall(p, 50, seconds(5 * i));
  }
  EXPECT_FALSE(p.may_evict());
  EXPECT_TRUE(p.stall_round_failed());
  p.take(50, false, TimePoint(seconds(11)));
  stall(p, 51.5, seconds(12));
  EXPECT_FALSE(p.may_evict()) << "it is the same stall";
}

TEST(Pressure, AnEvictionForTheMarksIsJudgedAtOnceWhateverStalls) {
  Pressure p{Limits{}};
  stall(p, 92, seconds(0));
  evict_and_reap(p);
  stall(p, 91, seconds(1));
  EXPECT_TRUE(p.may_evict());
}

TEST(Pressure, AStallThatEndsShowsAtOnceThatAnEvictionHelped) {
  Pressure p{Limits{}};
  stall(p, 50, seconds(0));
  evict_and_reap(p, seconds(0));
  stall(p, 50, seconds(5));
  evict_and_reap(p, seconds(5));
  p.take(50, false, TimePoint(seconds(8)));
  stall(p, 50, seconds(9));
  EXPECT_FALSE(p.stall_round_failed());
  EXPECT_TRUE(p.may_evict());
}

TEST(Pressure, AStallThatLastedTooLongIsNoPressureUntilItIsOver) {
  Pressure p{Limits{}};
  stall(p, 50, seconds(0));
  stall(p, 50, seconds(59));
  EXPECT_EQ(p.longest_stall_until(), TimePoint(seconds(60)));
  p.give_up_stall(TimePoint(seconds(60)));
  EXPECT_FALSE(stall(p, 50, seconds(61)).entered_high);
  EXPECT_EQ(p.level(), PressureLevel::Normal);
  EXPECT_FALSE(p.by_stall());
  EXPECT_FALSE(p.presses());
  EXPECT_EQ(p.stalled_until(), TimePoint(seconds(91)));
  EXPECT_TRUE(p.may_evict()) << "who is idle may still be its cause";
  EXPECT_FALSE(p.end_stall(TimePoint(seconds(91))).left) << "it had left already";
  EXPECT_TRUE(stall(p, 50, seconds(92)).entered_high);
}

TEST(Pressure, TheMarksDecideWhileAStallIsGivenUp) {
  Pressure p{Limits{}};
  stall(p, 92, seconds(0));
  p.give_up_stall(TimePoint(seconds(0)));
  EXPECT_EQ(p.level(), PressureLevel::High);
  EXPECT_TRUE(stall(p, 50, seconds(1)).left);
  EXPECT_TRUE(stall(p, 96, seconds(2)).entered_critical);
}

TEST(Pressure, TheNextStallHasARoundOfItsOwn) {
  Pressure p{Limits{}};
  stall(p, 50, seconds(0));
  for (int i = 1; i <= 2; ++i) {
    evict_and_reap(p, seconds(5 * i - 5));
    stall(p, 50, seconds(5 * i));
  }
  p.end_stall(TimePoint(seconds(40)));
  stall(p, 50, seconds(60));
  EXPECT_TRUE(p.may_evict());
}

TEST(Pressure, AnEvictionHelpedIfTheStallWent) {
  Pressure p{Limits{}};
  stall(p, 50, seconds(0));
  for (int i = 1; i <= 4; ++i) {
    evict_and_reap(p);
    p.take(50, false, TimePoint(seconds(2 * i)));
    stall(p, 50, seconds(2 * i + 1));
  }
  EXPECT_TRUE(p.may_evict());
}

TEST(Pressure, ARoundByHandMayFollowAFruitlessOneWhileTheStallLasts) {
  Pressure p{Limits{}};
  stall(p, 50, seconds(0));
  for (int i = 1; i <= 2; ++i) {
    evict_and_reap(p, seconds(5 * i - 5));
    stall(p, 50, seconds(5 * i));
  }
  p.start_round();
  EXPECT_TRUE(p.may_evict());
}

TEST(Pressure, AStallThatWasGivenUpAndComesAndGoesCostsTwoModelsAtMost) {
  Pressure p{Limits{}};
  stall(p, 50, seconds(0));
  p.give_up_stall(p.longest_stall_until());
  int gone = 0;
  for (int i = 1; i <= 10; ++i) {
    stall(p, 50, seconds(60 + 20 * i));
    if (p.may_evict()) {
      evict_and_reap(p, seconds(60 + 20 * i));
      ++gone;
    }
    p.take(50, false, TimePoint(seconds(60 + 20 * i + 10)));
    p.take(50, false, TimePoint(seconds(60 + 20 * i + 11)));
  }
  EXPECT_EQ(gone, 2);
}

TEST(Pressure, StallsThatComeAgainAndAgainAreGivenUpSooner) {
  Pressure p{Limits{}};
  stall(p, 50, seconds(0));
  p.give_up_stall(p.longest_stall_until());
  p.end_stall(TimePoint(seconds(90)));
  stall(p, 50, seconds(100));
  EXPECT_EQ(p.longest_stall_until(), TimePoint(seconds(108))) << "40 s without one gave 8 s back";
  p.give_up_stall(TimePoint(seconds(108)));
  p.end_stall(TimePoint(seconds(138)));
  stall(p, 50, seconds(408));
  EXPECT_EQ(p.longest_stall_until(), TimePoint(seconds(468))) << "five minutes give all back";
}

TEST(Pressure, AStallThatEndsByItselfCountsToo) {
  Pressure p{Limits{}};
  stall(p, 50, seconds(0));
  p.end_stall(TimePoint(seconds(30)));
  stall(p, 50, seconds(35));
  EXPECT_EQ(p.longest_stall_until(), TimePoint(seconds(66))) << "30 s were left, and 1 s came back";
}

}  // namespace
}  // namespace hf::core
