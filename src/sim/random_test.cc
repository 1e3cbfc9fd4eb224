#include "sim/random.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace hf::sim {
namespace {

TEST(Random, SameSeedAndStreamGiveTheSameNumbersEverywhere) {
  Random a(42, 1);
  Random b(42, 1);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(a.next(), b.next());
  }
  // Fixed once: seeds in bug reports must keep their meaning.
  EXPECT_EQ(Random(1, 1).next(), 0x1D08E40A8B50F326ULL);
}

TEST(Random, StreamsOfASeedDiffer) {
  EXPECT_NE(Random(42, 1).next(), Random(42, 2).next());
  EXPECT_NE(Random(42, 1).next(), Random(43, 1).next());
}

TEST(Random, BetweenReachesBothEnds) {
  Random random(7, 1);
  std::array<int, 3> seen{};
  for (int i = 0; i < 300; ++i) {
    const auto n = random.between(4, 6);
    ASSERT_GE(n, 4);
    ASSERT_LE(n, 6);
    ++seen[static_cast<std::size_t>(n - 4)];
  }
  for (const int count : seen) {
    EXPECT_GT(count, 50);
  }
}

TEST(Random, WeightedDrawsInProportionAndNeverAZeroWeight) {
  Random random(7, 1);
  const std::vector<double> weights{0, 1, 0, 3, 0};
  std::array<int, 5> seen{};
  for (int i = 0; i < 4000; ++i) {
    ++seen[random.weighted(weights)];
  }
  EXPECT_EQ(seen[0] + seen[2] + seen[4], 0);
  EXPECT_NEAR(seen[3] / static_cast<double>(seen[1]), 3, 0.5);
}

TEST(Random, ExponentialHasItsMean) {
  Random random(7, 1);
  double sum = 0;
  for (int i = 0; i < 20000; ++i) {
    sum += seconds_of(random.exponential(std::chrono::seconds(10)));
  }
  EXPECT_NEAR(sum / 20000, 10, 0.5);
}

}  // namespace
}  // namespace hf::sim
