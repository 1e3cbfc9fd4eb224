#include "store/measurement.h"

#include <gtest/gtest.h>

#include <cmath>

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

TEST(Measurement, RatesKeepTheSlowestAndIgnoreNonsense) {
  Measurement measurement;
  for (const double rate : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    add_decode_rate(measurement, rate);
    add_prefill_rate(measurement, rate);
  }
  EXPECT_EQ(measurement, Measurement{});
  add_decode_rate(measurement, 12.0);
  add_decode_rate(measurement, 8.0);
  add_decode_rate(measurement, 30.0);
  add_prefill_rate(measurement, 200.0);
  EXPECT_EQ(measurement.slowest_decode, 8.0);
  EXPECT_EQ(measurement.slowest_prefill, 200.0);
}

}  // namespace
}  // namespace hf::store
