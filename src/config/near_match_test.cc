#include "config/near_match.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace hf::config {
namespace {

constexpr std::array<std::string_view, 4> kKnown{"memory", "queue", "models", "max_waiting"};

TEST(NearMatch, FindsSlipsOfTheFingers) {
  EXPECT_EQ(near_match("memroy", kKnown), "memory");
  EXPECT_EQ(near_match("memry", kKnown), "memory");
  EXPECT_EQ(near_match("model", kKnown), "models");
  EXPECT_EQ(near_match("max-waitng", kKnown), "max_waiting");
}

TEST(NearMatch, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(near_match("gpu", kKnown), std::nullopt);
  EXPECT_EQ(near_match("", kKnown), std::nullopt);
  EXPECT_EQ(near_match(std::string(100000, 'q'), kKnown), std::nullopt);
}

}  // namespace
}  // namespace hf::config
