#include "engine/yielding_budget.h"

#include <gtest/gtest.h>

namespace hf::engine {
namespace {

constexpr Bytes kFull = 10 * kGiB;

YieldingBudget full_budget() {
  YieldingBudget budget;
  budget.reset(kFull);
  return budget;
}

TEST(Without, OursIsNotOthersUse) {
  const readers::MachineMemory machine = readers::combine(
      {64 * kGiB, 40 * kGiB, {}, {}}, {{"/sys/fs/cgroup/x", 16 * kGiB, 12 * kGiB, 2 * kGiB, kGiB}});
  const readers::MachineMemory rest = without(machine, 5 * kGiB);
  EXPECT_EQ(rest.available, 45 * kGiB);
  EXPECT_EQ(rest.cgroup->working_set(), 4 * kGiB);
}

TEST(Without, NeverBelowNothing) {
  const readers::MachineMemory machine = readers::combine(
      {64 * kGiB, 40 * kGiB, {}, {}}, {{"/sys/fs/cgroup/x", 16 * kGiB, 3 * kGiB, kGiB, kGiB}});
  const readers::MachineMemory rest = without(machine, 50 * kGiB);
  EXPECT_EQ(rest.available, 64 * kGiB);
  EXPECT_EQ(rest.cgroup->working_set(), Bytes());
}

TEST(YieldingBudget, TwoSamplesMustAgreeAndTheSmallerYieldCounts) {
  YieldingBudget budget = full_budget();
  EXPECT_FALSE(budget.take(4 * kGiB, Bytes()));
  EXPECT_TRUE(budget.take(6 * kGiB, Bytes()));
  EXPECT_EQ(budget.current(), 6 * kGiB);
  EXPECT_EQ(budget.full(), kFull);
}

TEST(YieldingBudget, ASpikeIsNoNeighbour) {
  YieldingBudget budget = full_budget();
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(budget.take(i % 2 == 0 ? 2 * kGiB : kFull, Bytes()));
  }
}

TEST(YieldingBudget, NoiseMovesNothing) {
  YieldingBudget budget = full_budget();
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(budget.take(kFull - 300 * kMiB, Bytes()));
  }
  EXPECT_FALSE(budget.take(20 * kGiB, Bytes())) << "never more than at the start";
}

TEST(YieldingBudget, GrowsBackWhenFiveSamplesAgree) {
  YieldingBudget budget = full_budget();
  budget.take(4 * kGiB, Bytes());
  ASSERT_TRUE(budget.take(4 * kGiB, Bytes()));
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(budget.take(kFull, Bytes())) << i;
  }
  EXPECT_TRUE(budget.take(kFull - 100 * kMiB, Bytes())) << "nearly is enough";
  EXPECT_EQ(budget.current(), kFull);
}

TEST(YieldingBudget, ARestlessNeighbourDoesNotMoveItBackAndForth) {
  YieldingBudget budget = full_budget();
  budget.take(4 * kGiB, Bytes());
  budget.take(4 * kGiB, Bytes());
  for (int i = 0; i < 40; ++i) {
    EXPECT_FALSE(budget.take(i % 4 == 0 ? 4 * kGiB : kFull, Bytes())) << i;
  }
}

TEST(YieldingBudget, KeepsWhatTheLargestModelNeeds) {
  YieldingBudget budget = full_budget();
  budget.take(Bytes(), 3 * kGiB);
  EXPECT_TRUE(budget.take(Bytes(), 3 * kGiB));
  EXPECT_EQ(budget.current(), 3 * kGiB);
  EXPECT_TRUE(budget.take(Bytes(), 5 * kGiB)) << "a larger one came";
  EXPECT_EQ(budget.current(), 5 * kGiB);
  EXPECT_TRUE(budget.take(Bytes(), 50 * kGiB)) << "more than there ever was";
  EXPECT_EQ(budget.current(), kFull);
}

TEST(YieldingBudget, RisesAtOnceToWhatIsNeededAndNoHigher) {
  YieldingBudget budget = full_budget();
  EXPECT_FALSE(budget.raise(50 * kGiB));
  budget.take(4 * kGiB, Bytes());
  budget.take(4 * kGiB, Bytes());
  EXPECT_FALSE(budget.raise(3 * kGiB));
  EXPECT_TRUE(budget.raise(5 * kGiB));
  EXPECT_EQ(budget.current(), 5 * kGiB);
  EXPECT_TRUE(budget.raise(50 * kGiB));
  EXPECT_EQ(budget.current(), kFull);
  EXPECT_TRUE(budget.take(4 * kGiB, Bytes()));
}

}  // namespace
}  // namespace hf::engine
