#include "gguf/tensor_type.h"

#include <gtest/gtest.h>

#include <limits>

namespace hf::gguf {
namespace {

TEST(TensorType, KnowsTheFormatsOfTheEngine) {
  EXPECT_EQ(find_tensor_type(0)->block_bytes, 4U);
  EXPECT_EQ(find_tensor_type(12)->name, "q4_k");
  EXPECT_EQ(find_tensor_type(12)->block_bytes, 144U);
  EXPECT_EQ(find_tensor_type(21)->block_bytes, 110U);
  EXPECT_EQ(find_tensor_type(39)->block_bytes, 17U);
  EXPECT_EQ(find_tensor_type(42)->block_weights, 64U);
  int known = 0;
  for (std::uint32_t number = 0; number < 64; ++number) {
    known += find_tensor_type(number) ? 1 : 0;
  }
  EXPECT_EQ(known, 35);
}

TEST(TensorType, RemovedAndFutureNumbersAreUnknown) {
  for (const std::uint32_t number : {4U, 5U, 31U, 33U, 36U, 38U, 43U, 0xFFFFFFFFU}) {
    EXPECT_FALSE(find_tensor_type(number)) << number;
  }
}

TEST(TensorType, IsFoundByTheNameOfACacheType) {
  EXPECT_EQ(tensor_type_named("q8_0"), TensorType::Q8_0);
  EXPECT_EQ(tensor_type_named("iq4_nl"), TensorType::IQ4_NL);
  EXPECT_FALSE(tensor_type_named(""));
  EXPECT_FALSE(tensor_type_named("q9_9"));
}

TEST(TensorType, RoundsUpToBlocksAndReportsOverflow) {
  const auto q8 = find_tensor_type(8).value();
  EXPECT_EQ(bytes_of(q8, 64), 68U);
  EXPECT_EQ(bytes_of(q8, 65), 102U);
  EXPECT_FALSE(bytes_of(q8, std::numeric_limits<std::uint64_t>::max()));
}

}  // namespace
}  // namespace hf::gguf
