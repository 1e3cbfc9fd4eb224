#include "readers/machine_memory.h"

#include <gtest/gtest.h>

namespace hf::readers {
namespace {

CgroupMemory cgroup(Bytes limit, Bytes usage, Bytes inactive) {
  return {"/sys/fs/cgroup/x", limit, usage, inactive};
}

TEST(Combine, MachineAloneGivesItsOwnPercentage) {
  const MachineMemory memory = combine({100 * kGiB, 4 * kGiB, {}, {}}, {});
  EXPECT_DOUBLE_EQ(memory.used_percent, 96.0);
  EXPECT_EQ(memory.cgroup, std::nullopt);
}

TEST(Combine, TheTighterOfMachineAndCgroupDecides) {
  const MemInfo half{100 * kGiB, 50 * kGiB, {}, {}};
  EXPECT_DOUBLE_EQ(combine(half, {cgroup(10 * kGiB, 9 * kGiB, Bytes())}).used_percent, 90.0);
  EXPECT_DOUBLE_EQ(combine(half, {cgroup(10 * kGiB, 9 * kGiB, 8 * kGiB)}).used_percent, 50.0);
}

TEST(Combine, ALimitAboveTheMachineIsNone) {
  const MachineMemory memory =
      combine({10 * kGiB, 5 * kGiB, {}, {}}, {cgroup(Bytes(9223372036854771712), kGiB, Bytes())});
  EXPECT_EQ(memory.cgroup, std::nullopt);
  EXPECT_DOUBLE_EQ(memory.used_percent, 50.0);
}

TEST(Combine, OfSeveralLimitsTheOneWithTheLeastRoomIsKept) {
  const MachineMemory memory =
      combine({100 * kGiB, 90 * kGiB, {}, {}},
              {cgroup(10 * kGiB, 2 * kGiB, Bytes()), cgroup(20 * kGiB, 15 * kGiB, Bytes())});
  EXPECT_EQ(memory.cgroup->limit, 20 * kGiB);
  EXPECT_DOUBLE_EQ(memory.used_percent, 75.0);
}

TEST(DefaultBudget, LeavesOthersAndTheReserveAlone) {
  const MachineMemory memory = combine({64 * kGiB, 60 * kGiB, {}, {}}, {});
  const BudgetTerms terms = default_budget(memory, 90);
  EXPECT_EQ(terms.limit, 64 * kGiB);
  EXPECT_FALSE(terms.from_cgroup);
  EXPECT_EQ(terms.others, 4 * kGiB);
  EXPECT_NEAR(static_cast<double>(terms.reserve.count), 6.4 * 1024 * 1024 * 1024, 1);
  EXPECT_EQ(terms.budget, terms.limit - terms.others - terms.reserve);
}

TEST(DefaultBudget, AFullBudgetStaysAtTheHighMark) {
  for (const double high : {50.0, 80.0, 90.0, 97.0}) {
    const MachineMemory memory = combine({64 * kGiB, 55 * kGiB, {}, {}}, {});
    const BudgetTerms terms = default_budget(memory, high);
    const Bytes used = terms.others + terms.budget;
    EXPECT_LE(100.0 * static_cast<double>(used.count),
              high * static_cast<double>((64 * kGiB).count));
  }
}

TEST(DefaultBudget, SmallMachinesKeepAtLeast512MiB) {
  EXPECT_EQ(default_budget(combine({2 * kGiB, 2 * kGiB, {}, {}}, {}), 90).reserve, 512 * kMiB);
}

TEST(DefaultBudget, TheTighterCgroupHolds) {
  const MachineMemory memory =
      combine({64 * kGiB, 60 * kGiB, {}, {}}, {cgroup(8 * kGiB, 3 * kGiB, 2 * kGiB)});
  const BudgetTerms terms = default_budget(memory, 90);
  EXPECT_TRUE(terms.from_cgroup);
  EXPECT_EQ(terms.limit, 8 * kGiB);
  EXPECT_EQ(terms.others, kGiB);
}

TEST(DefaultBudget, IsNeverNegative) {
  EXPECT_EQ(default_budget(combine({kGiB, Bytes(), {}, {}}, {}), 90).budget, Bytes());
}

}  // namespace
}  // namespace hf::readers
