#include "base/edit_distance.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hf {
namespace {

TEST(EditDistance, CountsInsertionsRemovalsAndReplacements) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("model", "models"), 1U);
  EXPECT_EQ(edit_distance("memry", "memory"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(EditDistance, CountsASwapOfNeighboursOnce) {
  EXPECT_EQ(edit_distance("memroy", "memory"), 1U);
  EXPECT_EQ(edit_distance("abdc", "bacd"), 2U);
  EXPECT_EQ(edit_distance("ca", "abc"), 3U) << "nothing comes between what was swapped";
}

TEST(EditDistance, IsSymmetricAndZeroForEqualWordsOnly) {
  const std::string letters = "abc";
  std::vector<std::string> words{""};
  for (std::size_t at = 0; words.size() < 40; ++at) {
    for (const char letter : letters) {
      words.push_back(words[at] + letter);
    }
  }
  for (const std::string& a : words) {
    for (const std::string& b : words) {
      EXPECT_EQ(edit_distance(a, b), edit_distance(b, a)) << a << " " << b;
      EXPECT_EQ(edit_distance(a, b) == 0, a == b) << a << " " << b;
    }
  }
}

}  // namespace
}  // namespace hf
