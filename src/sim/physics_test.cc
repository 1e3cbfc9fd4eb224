#include "sim/physics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace hf::sim {
namespace {

using std::chrono::milliseconds;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Le;

constexpr Bytes kGb{1'000'000'000};

std::vector<Bytes> sorted(std::vector<Bytes> sizes) {
  std::sort(sizes.begin(), sizes.end());
  return sizes;
}

std::vector<Bytes> tenths(std::initializer_list<int> tenths_of_gb) {
  std::vector<Bytes> sizes;
  for (const int n : tenths_of_gb) {
    sizes.emplace_back(n * 100'000'000LL);
  }
  return sizes;
}

TEST(Physics, LoadsTakeASecondAndAHalfAndTwoGigabytesASecond) {
  EXPECT_EQ(load_time(10 * kGb), milliseconds(6500));
  EXPECT_EQ(load_time(Bytes(1'000'000)), std::chrono::microseconds(1500500));
}

TEST(Physics, AnswersTakeLongerOnLargerModels) {
  EXPECT_EQ(service_time(10 * kGb, 500, 100), milliseconds(500 + 2500));   // 40 tokens a second
  EXPECT_EQ(service_time(1 * kGb, 2500, 100), milliseconds(1000 + 1000));  // capped at 100
  EXPECT_EQ(service_time(10 * kGb, 0, 0), Duration::zero());
}

TEST(Physics, FewModelsSpanTheRangeOfSizes) {
  EXPECT_EQ(sorted(sizes_by_seed(12, 96 * kGb, 7)),
            tenths({6, 11, 20, 25, 44, 49, 57, 81, 90, 143, 186, 199}));
  EXPECT_EQ(sizes_by_seed(1, 96 * kGb, 7), tenths({6}));
}

TEST(Physics, ManyModelsUseTheListAgain) {
  const std::vector<Bytes> thirty = sizes_by_seed(30, 96 * kGb, 1);
  std::vector<Bytes> twice = thirty;
  twice.insert(twice.end(), thirty.begin(), thirty.end());
  EXPECT_EQ(sorted(sizes_by_seed(60, 96 * kGb, 2)), sorted(twice));
  EXPECT_EQ(sorted(thirty).back(), Bytes(42'500'000'000));
}

TEST(Physics, WhatIsLargerThanTheBudgetBecomesTheSmallest) {
  const std::vector<Bytes> sizes = sizes_by_seed(30, 24 * kGb, 1);
  EXPECT_THAT(sizes, Each(Le(24 * kGb)));
  EXPECT_EQ(std::count(sizes.begin(), sizes.end(), Bytes(600'000'000)), 3);  // and 24.6, 42.5
}

TEST(Physics, ASeedMeansTheSameForEver) {
  EXPECT_NE(sizes_by_seed(12, 96 * kGb, 1), sizes_by_seed(12, 96 * kGb, 2));
  EXPECT_EQ(sizes_by_seed(6, 96 * kGb, 1), tenths({44, 57, 186, 6, 90, 20}));
}

TEST(Sizes, AreReadFromAFile) {
  const auto sizes =
      parse_sizes("model,bytes\nb,4.7GB\nother,1\na,5GiB\nc,123\n", "s.csv", {"a", "b", "c"});
  ASSERT_TRUE(sizes) << sizes.error().message;
  EXPECT_THAT(*sizes, ElementsAre(5 * kGiB, Bytes(4'700'000'000), Bytes(123)));
}

TEST(Sizes, MayBeInGigabytes) {
  const auto sizes = parse_sizes("gb,model\n4.7,b\n10,a\n", "s.csv", {"a", "b"});
  ASSERT_TRUE(sizes) << sizes.error().message;
  EXPECT_THAT(*sizes, ElementsAre(Bytes(10'000'000'000), Bytes(4'700'000'000)));
}

TEST(Sizes, SayWhatIsWrong) {
  const auto error = [](const std::string& rows) {
    return parse_sizes("model,bytes\n" + rows, "s.csv", {"a"}).error().message;
  };
  EXPECT_THAT(error("b,1GB\n"), "s.csv: no size for \"a\"");
  EXPECT_THAT(error("a,much\n"), ::testing::HasSubstr("s.csv:2: bytes: not a size: \"much\""));
  EXPECT_THAT(error("b,1\na,0\n"), "s.csv:3: bytes: a model has at least one");
  EXPECT_THAT(error("a,1\na,2\n"), "s.csv:3: \"a\" stands here a second time");
}

}  // namespace
}  // namespace hf::sim
