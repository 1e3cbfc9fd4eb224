#include "engine/reload_time.h"

#include <gtest/gtest.h>

namespace hf::engine {
namespace {

using namespace std::chrono_literals;

constexpr Bytes kSize{5'000'000'000};

TEST(LoadTimes, AreAssumedUntilTheyAreMeasured) {
  const LoadTimes assumed = load_times({}, kSize);
  EXPECT_DOUBLE_EQ(assumed.cached, 1.5);
  EXPECT_DOUBLE_EQ(assumed.cold, 5.5);
  store::Measurement measurement;
  measurement.load_seconds_cached = 2;
  measurement.load_seconds_cold = 20;
  const LoadTimes measured = load_times(measurement, kSize);
  EXPECT_DOUBLE_EQ(measured.cached, 2);
  EXPECT_DOUBLE_EQ(measured.cold, 20);
}

TEST(LoadTimes, CachedIsNeverSlowerThanCold) {
  store::Measurement slow_cached;
  slow_cached.load_seconds_cached = 9;
  EXPECT_DOUBLE_EQ(load_times(slow_cached, kSize).cold, 9);
  store::Measurement fast_disk;
  fast_disk.load_seconds_cold = 1;
  EXPECT_DOUBLE_EQ(load_times(fast_disk, kSize).cached, 1);
}

TEST(ReloadTime, IsMixedByTheShareInThePageCache) {
  const LoadTimes times{2, 10};
  EXPECT_EQ(reload_time(times, 1), 2s);
  EXPECT_EQ(reload_time(times, 0), 10s);
  EXPECT_EQ(reload_time(times, 0.5), 6s);
  EXPECT_EQ(reload_time(times, 7), 2s);
}

TEST(LearnLoad, KeepsCachedAndColdLoadsApart) {
  store::Measurement measurement;
  learn_load(measurement, kSize, 1s, 0.95);
  learn_load(measurement, kSize, 30s, 0.05);
  EXPECT_DOUBLE_EQ(*measurement.load_seconds_cached, 1);
  EXPECT_DOUBLE_EQ(*measurement.load_seconds_cold, 30);
}

TEST(LearnLoad, AMixedLoadTeachesItsLargerPart) {
  store::Measurement cold;
  cold.load_seconds_cached = 2;
  learn_load(cold, kSize, 17s, 0.25);  // 0.25 x 2 + 0.75 x 22
  EXPECT_DOUBLE_EQ(*cold.load_seconds_cold, 22);
  EXPECT_DOUBLE_EQ(*cold.load_seconds_cached, 2);
  store::Measurement cached;
  cached.load_seconds_cold = 20;
  learn_load(cached, kSize, 8s, 0.75);  // 0.75 x 4 + 0.25 x 20
  EXPECT_DOUBLE_EQ(*cached.load_seconds_cached, 4);
  learn_load(cached, kSize, 1s, 0.6);
  EXPECT_DOUBLE_EQ(*cached.load_seconds_cached, 4) << "faster than its cold part alone should be";
}

TEST(LearnLoad, AFigureFromAMixedLoadIsMarkedUntilALoadWasWhollyOfThatKind) {
  store::Measurement measurement;
  learn_load(measurement, kSize, 17s, 0.25);
  EXPECT_TRUE(measurement.load_cold_estimated);
  EXPECT_FALSE(measurement.load_cached_estimated) << "there is no such figure";
  learn_load(measurement, kSize, 30s, 0.05);
  EXPECT_FALSE(measurement.load_cold_estimated);
  EXPECT_DOUBLE_EQ(*measurement.load_seconds_cold, 30) << "nothing computed is left in it";
  learn_load(measurement, kSize, 40s, 0.25);
  EXPECT_TRUE(measurement.load_cold_estimated);
  learn_load(measurement, kSize, 20s, 0.75);
  EXPECT_TRUE(measurement.load_cached_estimated);
}

TEST(IsOtherReload, OnlyWhatMovesByMoreThanATenth) {
  EXPECT_FALSE(is_other_reload(10s, 11s));
  EXPECT_TRUE(is_other_reload(10s, 12s));
  EXPECT_TRUE(is_other_reload(10s, 8s));
  EXPECT_TRUE(is_other_reload(0s, 1s));
}

}  // namespace
}  // namespace hf::engine
