#include "core/bound.h"

#include <gtest/gtest.h>

namespace hf::core {
namespace {

using std::chrono::seconds;

// P 30, Q 60, R 60, L 20, U 1: T = 141.
BoundTerms terms() {
  BoundTerms t;
  t.patience = seconds(30);
  t.turn = seconds(60);
  t.answer = seconds(60);
  t.load = seconds(20);
  t.stop = seconds(1);
  t.models = 3;
  return t;
}

Duration bound(BoundTerms terms, int slots, Standing standing) {
  terms.slots = slots;
  terms.standing = standing;
  return wait_bound(terms);
}

TEST(WaitBound, CountsOneTurnForTheOwnAndOneForEachModelAhead) {
  BoundTerms t = terms();
  EXPECT_EQ(bound(t, 1, Standing::InLine), seconds(30 + 141 + 20));
  t.ahead = 2;
  EXPECT_EQ(bound(t, 1, Standing::InLine), seconds(30 + 3 * 141 + 20));
}

TEST(WaitBound, OfALoadingModelIsTheRestOfTheLoadForItsFirstSlots) {
  EXPECT_EQ(bound(terms(), 1, Standing::Loading), seconds(20));
}

TEST(WaitBound, OfAFullModelCountsItsOwnSwap) {
  const int back_again = 2 * 141 + 60 + 1 + 20;  // Z
  EXPECT_EQ(bound(terms(), 1, Standing::OpenButFull), seconds(30 + back_again + 60));
}

TEST(WaitBound, AddsASwapForEachRoundOfSlotsBeforeTheTicket) {
  BoundTerms t = terms();
  t.place = 4;  // second round of three slots
  const int back_again = 2 * 141 + 60 + 1 + 20;
  EXPECT_EQ(bound(t, 3, Standing::InLine), seconds(30 + 141 + 20 + back_again + 60));
  EXPECT_EQ(bound(t, 3, Standing::Loading), seconds(20 + 30 + back_again + 60));
  EXPECT_EQ(bound(t, 4, Standing::Loading), seconds(20));
}

TEST(WaitBound, IsToldAsASum) {
  BoundTerms t = terms();
  EXPECT_EQ(describe(t),
            "patience 30.0 s + 1 turn of (load 20.0 s + turn 60.0 s + answer 60.0 s + stop "
            "1.0 s) + load 20.0 s");
  t.standing = Standing::Loading;
  t.place = 3;
  t.slots = 2;
  t.models = 2;
  EXPECT_EQ(
      describe(t),
      "load 20.0 s + patience 30.0 s + 1 x (1 turn of (load 20.0 s + turn 60.0 s + answer "
      "60.0 s + stop 1.0 s) + answer 60.0 s + stop 1.0 s + load 20.0 s + answer 60.0 s) because it "
      "is number 3 for 2 slots");
}

TEST(WaitBound, SaturatesInsteadOfOverflowing) {
  BoundTerms t = terms();
  t.answer = std::chrono::hours(24 * 365);
  t.models = 100000;
  t.place = 100000;
  const Duration longest = bound(t, 1, Standing::InLine);
  EXPECT_GT(longest, std::chrono::hours(24 * 365 * 90));
  EXPECT_LT(longest, std::chrono::hours(24 * 365 * 100));
}

}  // namespace
}  // namespace hf::core
