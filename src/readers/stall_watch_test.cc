#include "readers/stall_watch.h"

#include <gtest/gtest.h>

namespace hf::readers {
namespace {

using namespace std::chrono_literals;

// Feeds readings half a second apart, as the server takes them; `stood` is what each adds.
class Feeder {
 public:
  Feeder& quiet(int readings) { return with(0ms, readings); }
  Feeder& with(Duration stood, int readings = 1, Duration apart = 500ms) {
    for (int i = 0; i < readings; ++i) {
      at_ += apart;
      total_ += stood;
      watch_.take(at_, total_);
    }
    return *this;
  }
  [[nodiscard]] bool stalled() const { return watch_.stalled(); }

 private:
  StallWatch watch_;
  TimePoint at_{1h};
  Duration total_{17s};  // since boot: what was before us says nothing
};

TEST(StallWatch, QuietAndSlightStallsAreNone) {
  EXPECT_FALSE(Feeder().stalled());
  EXPECT_FALSE(Feeder().quiet(20).stalled());
  EXPECT_FALSE(Feeder().quiet(2).with(37ms, 100).stalled());  // 148 ms of 2 s
}

TEST(StallWatch, ASteadyStallIsKnownWithinTwoWindowsAndAReading) {
  Feeder feeder;
  feeder.quiet(2).with(38ms, 7);  // 3.5 s of 152 ms in 2 s
  EXPECT_FALSE(feeder.stalled());
  feeder.with(38ms, 2);
  EXPECT_TRUE(feeder.stalled());
}

TEST(StallWatch, AHeavyStallIsKnownAsSoonAsTheSecondWindowHasItsShare) {
  Feeder feeder;
  feeder.quiet(2).with(500ms, 4);
  EXPECT_FALSE(feeder.stalled());
  feeder.with(500ms);
  EXPECT_TRUE(feeder.stalled());
}

TEST(StallWatch, OneBurstAloneIsNone) {
  for (const int length : {1, 2, 3, 4}) {
    Feeder feeder;
    feeder.quiet(3).with(500ms, length);
    EXPECT_FALSE(feeder.stalled()) << length;
    for (int i = 0; i < 20; ++i) {
      EXPECT_FALSE(feeder.quiet(1).stalled()) << length << " after " << i;
    }
  }
}

TEST(StallWatch, BurstsWithAQuietWindowBetweenThemAreNone) {
  Feeder feeder;
  feeder.quiet(2);
  for (int i = 0; i < 5; ++i) {
    feeder.with(400ms).quiet(8);
    EXPECT_FALSE(feeder.stalled()) << i;
  }
}

TEST(StallWatch, EndsWithTheFirstQuietWindow) {
  Feeder feeder;
  feeder.quiet(2).with(100ms, 12);
  ASSERT_TRUE(feeder.stalled());
  feeder.quiet(3);
  EXPECT_TRUE(feeder.stalled());  // the window under way may still get its share
  feeder.quiet(1);
  EXPECT_FALSE(feeder.stalled());
}

TEST(StallWatch, ALateReadingMakesOneLongWindow) {
  Feeder feeder;
  feeder.quiet(2).with(500ms, 1, 10s);  // 100 ms in 2 s
  EXPECT_FALSE(feeder.stalled());
  Feeder heavy;
  heavy.quiet(2).with(5s, 1, 10s);
  EXPECT_FALSE(heavy.stalled());  // one window
  heavy.with(5s, 1, 10s);
  EXPECT_TRUE(heavy.stalled());
}

TEST(StallWatch, ReadingsInQuickSuccessionAreNoWindowsOfTheirOwn) {
  Feeder feeder;
  feeder.quiet(2).with(200ms, 1).with(200ms, 5, 10ms);
  EXPECT_FALSE(feeder.stalled());
}

TEST(StallWatch, ACounterThatWentBackStartsAnew) {
  StallWatch watch;
  watch.take(TimePoint(1s), 100s);
  watch.take(TimePoint(2s), 1s);
  watch.take(TimePoint(3s), 1s);
  EXPECT_FALSE(watch.stalled());
}

TEST(StallWatch, ForgetsWhenNothingCanBeRead) {
  StallWatch watch;
  for (int i = 0; i < 10; ++i) {
    watch.take(TimePoint(i * 1s), i * 500ms);
  }
  ASSERT_TRUE(watch.stalled());
  watch.forget();
  EXPECT_FALSE(watch.stalled());
}

}  // namespace
}  // namespace hf::readers
