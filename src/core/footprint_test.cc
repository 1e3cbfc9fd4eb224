#include "core/footprint.h"

#include <gtest/gtest.h>

#include "core/ledger.h"

namespace hf::core {
namespace {

Footprint split(std::int64_t ram, std::int64_t card) {
  Footprint f = Footprint::host(Bytes(ram));
  f.in[1] = Bytes(card);
  return f;
}

TEST(Footprint, MustFitInEachDomainNotInTheSum) {
  EXPECT_TRUE(split(10, 5).fits_in(split(10, 5)));
  EXPECT_FALSE(split(1, 6).fits_in(split(100, 5)));
}

TEST(Footprint, ACardInDebtDoesNotStopAModelThatLivesInRam) {
  EXPECT_TRUE(split(10, 0).fits_in(split(10, -3)));
}

TEST(Footprint, MissingIsCountedPerDomainAndNeverBelowZero) {
  EXPECT_EQ(split(10, 5).missing_from(split(4, 9)), split(6, 0));
  EXPECT_EQ(split(10, 0).missing_from(split(-2, -2)), split(12, 0));
  EXPECT_TRUE(split(0, 0).missing_from(split(-2, -2)).empty());
}

TEST(Footprint, OverlapsWhereBothHoldSomething) {
  EXPECT_TRUE(split(1, 1).overlaps(split(0, 1)));
  EXPECT_FALSE(split(1, 0).overlaps(split(0, 1)));
}

TEST(Ledger, BytesOfALeavingChildAreFreeOnlyWhenItIsReaped) {
  Ledger ledger(split(16, 8));
  ledger.reserve(split(10, 4));
  ledger.start_leaving(split(10, 4));
  EXPECT_EQ(ledger.free(), split(6, 4));
  EXPECT_EQ(ledger.leaving(), split(10, 4));
  ledger.release(split(10, 4), Footprint{}, true);
  EXPECT_EQ(ledger.free(), split(16, 8));
  EXPECT_EQ(ledger.leaving(), Footprint{});
}

TEST(Ledger, DebtTakesFromWhatIsFreeAndLeavesWithItsChild) {
  Ledger ledger(split(16, 0));
  ledger.reserve(split(10, 0));
  ledger.change_debt(split(3, 0));
  EXPECT_EQ(ledger.free(), split(3, 0));
  ledger.start_leaving(split(13, 0));
  EXPECT_EQ(ledger.free() + ledger.leaving(), split(16, 0));
  ledger.release(split(10, 0), split(3, 0), true);
  EXPECT_EQ(ledger.free(), split(16, 0));
}

TEST(Ledger, FreeGoesBelowZeroWhenTheBudgetShrinks) {
  Ledger ledger(split(16, 0));
  ledger.reserve(split(10, 0));
  ledger.set_budget(split(8, 0));
  EXPECT_EQ(ledger.free(), split(-2, 0));
}

TEST(Footprint, TheTightestDomainIsTheOneThatDecides) {
  Footprint need;
  need.in[kHostRam] = Bytes(10);
  need.in[2] = Bytes(5);
  Footprint have;
  have.in[kHostRam] = Bytes(100);
  have.in[1] = Bytes(-50);  // nothing is wanted there
  have.in[2] = Bytes(3);
  EXPECT_EQ(tightest(need, have), 2U);
  have.in[2] = Bytes(500);
  EXPECT_EQ(tightest(need, have), kHostRam);
  EXPECT_EQ(tightest(Footprint{}, have), kHostRam);
}

}  // namespace
}  // namespace hf::core
