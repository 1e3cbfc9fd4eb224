#include "store/measurement.h"

#include <gtest/gtest.h>

namespace hf::store {
namespace {

using namespace std::chrono_literals;

TEST(Measurement, LoadsAreAveragedApartForCachedAndCold) {
  Measurement measurement;
  add_load(measurement, 10s, true);
  EXPECT_DOUBLE_EQ(*measurement.load_seconds_cached, 10.0);
  EXPECT_EQ(measurement.load_seconds_cold, std::nullopt);
  add_load(measurement, 20s, true);
  EXPECT_DOUBLE_EQ(*measurement.load_seconds_cached, 13.0);
  add_load(measurement, 60s, false);
  EXPECT_DOUBLE_EQ(*measurement.load_seconds_cold, 60.0);
  EXPECT_DOUBLE_EQ(*measurement.load_seconds_cached, 13.0);
}

TEST(Measurement, HighWaterOnlyRises) {
  Measurement measurement;
  add_high_water(measurement, Bytes(5));
  add_high_water(measurement, Bytes(3));
  EXPECT_EQ(measurement.high_water, Bytes(5));
}

TEST(CardHighWater, GoesToTextAndBack) {
  const std::map<std::string, Bytes> cards{{"cuda0", Bytes(7)}, {"rocm1", Bytes(1LL << 40)}};
  EXPECT_EQ(to_text(cards), "cuda0=7 rocm1=1099511627776");
  EXPECT_EQ(parse_by_card(to_text(cards)), cards);
  EXPECT_EQ(to_text({}), "");
  EXPECT_TRUE(parse_by_card("").empty());
}

TEST(CardHighWater, WhatIsNotOfThatFormIsLeftOut) {
  const std::map<std::string, Bytes> only{{"cuda1", Bytes(3)}};
  EXPECT_EQ(parse_by_card("cuda0 =5 cuda1=3 cuda2=x cuda3=-1 cuda4=1x"), only);
}

}  // namespace
}  // namespace hf::store
