#include "engine/wall_clock_watch.h"

#include <gtest/gtest.h>

#include <chrono>

namespace hf::engine {
namespace {

using std::chrono::minutes;

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kYearMs = 365 * 24 * 60 * kMinuteMs;
constexpr std::int64_t kStartMs = 1'700'000'000'000;

TimePoint at(int minute) {
  return TimePoint{} + minutes(minute);
}
std::int64_t wall(int minute) {
  return kStartMs + minute * kMinuteMs;
}

TEST(WallClockWatch, BelievesAClockThatRanEvenlyForAnHour) {
  WallClockWatch watch;
  EXPECT_FALSE(watch.is_believed(at(0), wall(0)));
  EXPECT_FALSE(watch.is_believed(at(59), wall(59)));
  EXPECT_TRUE(watch.is_believed(at(60), wall(60) + 2'000)) << "brought into step";
}

TEST(WallClockWatch, DoesNotBelieveOneBatchOfAnotherYear) {
  for (const std::int64_t jump : {kYearMs, -kYearMs}) {
    WallClockWatch watch;
    EXPECT_FALSE(watch.is_believed(at(0), wall(0)));
    EXPECT_FALSE(watch.is_believed(at(90), wall(90) + jump));
    EXPECT_FALSE(watch.is_believed(at(91), wall(91))) << "back again, and not yet for an hour";
    EXPECT_FALSE(watch.is_believed(at(150), wall(150)));
    EXPECT_TRUE(watch.is_believed(at(151), wall(151)));
  }
}

}  // namespace
}  // namespace hf::engine
