#include "store/slowest_rate.h"

#include <gtest/gtest.h>

#include <cmath>

namespace hf::store {
namespace {

TEST(SlowestRate, KeepsTheSlowestAndIgnoresNonsense) {
  SlowestRate rate;
  for (const double nonsense : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    rate.add(nonsense);
  }
  EXPECT_EQ(rate.value(), std::nullopt);
  for (const double seen : {12.0, 8.0, 30.0}) {
    rate.add(seen);
  }
  EXPECT_EQ(rate.value(), 8.0);
  EXPECT_EQ(rate.to_remember(), 8.0);
}

TEST(SlowestRate, OneAbsurdRateIsNotBelievedTwoAre) {
  SlowestRate rate;
  rate.add(50);
  rate.add(45);
  rate.add(0.01);  // the machine was suspended
  EXPECT_EQ(rate.value(), 45.0);
  rate.add(40);
  EXPECT_EQ(rate.value(), 40.0);
  rate.add(0.5);  // not alone: it is that slow
  EXPECT_EQ(rate.value(), 0.5) << "the faster of the two";
}

TEST(SlowestRate, AnAbsurdFirstRateIsForgottenWhenTheSecondComes) {
  SlowestRate rate;
  rate.add(0.01);
  EXPECT_EQ(rate.value(), 0.01) << "all that is known";
  EXPECT_EQ(rate.to_remember(), std::nullopt);
  rate.add(50);
  EXPECT_EQ(rate.value(), 50.0);
  EXPECT_EQ(rate.to_remember(), 50.0);
  rate.add(0.02);
  EXPECT_EQ(rate.value(), 0.02) << "it was that slow twice";
}

TEST(SlowestRate, GoesOnFromWhatWasRemembered) {
  SlowestRate rate(8.0);
  EXPECT_EQ(rate.value(), 8.0);
  rate.add(200);
  EXPECT_EQ(rate.value(), 8.0) << "certain: a fast answer does not undo it";
  rate.add(4);
  EXPECT_EQ(rate.to_remember(), 4.0);
}

}  // namespace
}  // namespace hf::store
