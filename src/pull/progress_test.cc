#include "pull/progress.h"

#include <gtest/gtest.h>

namespace hf::pull {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Progress half() {
  Progress progress;
  progress.file = "qwen2.5-0.5b-instruct-q4_k_m.gguf";
  progress.done = 50 * kMiB;
  progress.total = 100 * kMiB;
  progress.bytes_per_second = 2.0 * 1024 * 1024;
  return progress;
}

TEST(PullProgress, Words) {
  Progress progress = half();
  EXPECT_EQ(progress_words(progress), "50% of 100 MiB, 2.00 MiB/s, 25 s left");
  progress.bytes_per_second.reset();
  EXPECT_EQ(progress_words(progress), "50% of 100 MiB");
  progress.total.reset();
  EXPECT_EQ(progress_words(progress), "50.0 MiB");
  progress = half();
  progress.stage = Stage::Checking;
  progress.done = *progress.total;
  EXPECT_EQ(progress_words(progress), "checking, 100% of 100 MiB, 2.00 MiB/s");
}

TEST(PullProgress, OneHundredPercentIsSaidAtTheEndOnly) {
  Progress progress = half();
  progress.done = *progress.total - Bytes(1);
  progress.bytes_per_second.reset();
  EXPECT_EQ(progress_words(progress), "99% of 100 MiB");
}

TEST(PullProgress, AStalledLineHasNoEndAndNoOverflow) {
  Progress progress = half();
  progress.bytes_per_second = 0;
  EXPECT_EQ(progress.left(), std::nullopt);
  progress.bytes_per_second = 1;
  progress.total = Bytes(INT64_MAX);
  ASSERT_TRUE(progress.left());
  EXPECT_GT(progress.left()->count(), 0);
}

TEST(PullProgress, ABarNeverFillsTheTerminal) {
  for (std::size_t columns = 0; columns < 200; ++columns) {
    const std::string line = progress_bar(half(), columns);
    EXPECT_LT(line.size(), std::max<std::size_t>(columns, 1)) << columns;
  }
  EXPECT_EQ(progress_bar(half(), 100),
            "qwen2.5-0.5b-instruct-q4_k_m.gguf [############-------------] "
            "50% of 100 MiB, 2.00 MiB/s, 25 s left");
  EXPECT_EQ(progress_bar(half(), 60),
            "qwen2.5-0..._k_m.gguf 50% of 100 MiB, 2.00 MiB/s, 25 s left");
}

TEST(PullProgress, FilesAreNumberedIfThereAreSeveral) {
  Progress progress = half();
  progress.number = 2;
  progress.count = 3;
  EXPECT_TRUE(progress_bar(progress, 120).starts_with("[2/3] qwen"));
}

TEST(PullRate, IsThatOfTheLastSeconds) {
  Rate rate;
  EXPECT_EQ(rate.per_second(), std::nullopt);
  TimePoint now{};
  Bytes bytes;
  rate.add(now, bytes);
  for (int i = 0; i < 10; ++i) {  // fast at first
    now += seconds(1);
    bytes += 100 * kMiB;
    rate.add(now, bytes);
  }
  for (int i = 0; i < 20; ++i) {
    now += seconds(1);
    bytes += kMiB;
    rate.add(now, bytes);
  }
  EXPECT_NEAR(rate.per_second().value(), 1024.0 * 1024, 1);
}

TEST(PullRate, ManyUpdatesAreOneSample) {
  Rate rate;
  TimePoint now{};
  Bytes bytes;
  for (int i = 0; i <= 1000; ++i) {
    rate.add(now, bytes);
    now += milliseconds(1);
    bytes += Bytes(1000);
  }
  EXPECT_NEAR(rate.per_second().value(), 1'000'000, 1000);
  rate.restart();
  EXPECT_EQ(rate.per_second(), std::nullopt);
}

}  // namespace
}  // namespace hf::pull
