#include "core/outlook.h"

#include <gtest/gtest.h>

namespace hf::core {
namespace {

Footprint gib(std::int64_t count) {
  return Footprint::host(count * kGiB);
}

TEST(Outlook, WhatFitsSoonIsFreeNow) {
  Outlook outlook(gib(10));
  outlook.add_open(50, 5);
  EXPECT_EQ(outlook.free_in_s(gib(10), 30), 0);
  EXPECT_GT(outlook.free_in_s(gib(11), 30), 0);
}

TEST(Outlook, AGatedHolderIsGoneWhenItsAnswersHaveEnded) {
  Outlook outlook(gib(1));
  outlook.add_gated(7);
  outlook.add_gated(3);
  EXPECT_EQ(outlook.free_in_s(gib(2), 30), 7);
}

TEST(Outlook, AnOpenHolderLeavesAfterItsTurnAndThePatienceOfWhoWaits) {
  Outlook outlook(gib(1));
  outlook.add_open(20, 5);
  EXPECT_EQ(outlook.free_in_s(gib(2), 0), 25);
  EXPECT_EQ(outlook.free_in_s(gib(2), 30), 35);
}

TEST(Outlook, TheLastOfAllHoldersCounts) {
  Outlook outlook(gib(1));
  outlook.add_gated(40);
  outlook.add_open(20, 5);
  outlook.add_open(0, 9);
  EXPECT_EQ(outlook.free_in_s(gib(2), 0), 40);
  EXPECT_EQ(outlook.free_in_s(gib(2), 35), 44);
}

TEST(Outlook, NobodyHoldsItAndStillItDoesNotFit) {
  EXPECT_EQ(Outlook(gib(1)).free_in_s(gib(2), 30), 0);
}

}  // namespace
}  // namespace hf::core
