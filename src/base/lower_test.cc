#include "base/lower.h"

#include <gtest/gtest.h>

namespace hf {
namespace {

TEST(Lower, LettersOfAsciiAlone) {
  EXPECT_EQ(lower("UD-Q4_K_M[]"), "ud-q4_k_m[]");
  EXPECT_EQ(lower("ÄB"), "Äb");
  EXPECT_EQ(lower(""), "");
}

}  // namespace
}  // namespace hf
