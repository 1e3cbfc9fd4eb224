#include <gtest/gtest.h>

#include <limits>

#include "gguf/header.h"
#include "gguf/testing/gguf_builder.h"

namespace hf::gguf {
namespace {

using testing::GgufBuilder;
using testing::kSmallLlamaData;
using testing::small_llama;

constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();

Error error_of(const GgufBuilder& builder, std::size_t data_bytes = 0) {
  const auto bytes = builder.build(data_bytes);
  MemorySource source(bytes, bytes.size());
  auto header = parse_header(source);
  EXPECT_FALSE(header) << "accepted a broken file";
  return header ? Error(Errc::Internal, "") : header.error();
}

GgufBuilder with_architecture() {
  GgufBuilder builder;
  builder.text("general.architecture", "x");
  return builder;
}

TEST(HeaderDamage, NoErrorHoldsWhatATerminalWouldObey) {
  auto builder = with_architecture();
  builder.tensor("\x1b]0;owned\x07", {1, 2, 3, 4, 5}, 0, 0);
  EXPECT_EQ(error_of(builder).message, "a tensor has too many dimensions");
}

TEST(HeaderDamage, EveryTruncationIsAnError) {
  const auto whole = small_llama().build(kSmallLlamaData);
  // The last tensor ends 608 bytes before the end of the data; those are padding.
  const std::size_t needed = whole.size() - kSmallLlamaData + 3360 + 384;
  for (std::size_t size = 0; size < needed; ++size) {
    const std::span<const std::byte> cut = std::span(whole).first(size);
    MemorySource source(cut, cut.size());
    const auto header = parse_header(source);
    ASSERT_FALSE(header) << "accepted after " << size << " bytes";
    ASSERT_EQ(header.error().code, Errc::Corrupt) << size;
    ASSERT_NE(header.error().message.find("truncated"), std::string::npos) << size;
  }
  const std::span<const std::byte> enough = std::span(whole).first(needed);
  MemorySource source(enough, enough.size());
  EXPECT_TRUE(parse_header(source));
}

TEST(HeaderDamage, AFileThatShrinksWhileReadIsTruncated) {
  const auto whole = small_llama().build(kSmallLlamaData);
  const std::span<const std::byte> rest = std::span(whole).first(100);
  MemorySource source(rest, whole.size());
  EXPECT_EQ(parse_header(source).error().message, "truncated");
}

TEST(HeaderDamage, EveryFlippedByteIsReadWithoutHarm) {
  auto bytes = small_llama().build(kSmallLlamaData);
  int refused = 0;
  for (std::size_t at = 0; at < bytes.size() - kSmallLlamaData; ++at) {
    const std::byte kept = bytes[at];
    bytes[at] = ~kept;
    MemorySource source(bytes, bytes.size());
    refused += parse_header(source) ? 0 : 1;
    bytes[at] = kept;
  }
  EXPECT_GT(refused, 100);
}

TEST(HeaderDamage, RefusesOtherFilesAndVersions) {
  auto bytes = small_llama().build(kSmallLlamaData);
  bytes[0] = std::byte{'X'};
  MemorySource other(bytes, bytes.size());
  EXPECT_EQ(parse_header(other).error().message, "not a GGUF file");
  EXPECT_EQ(error_of(GgufBuilder(1)).code, Errc::Unsupported);
  EXPECT_EQ(error_of(GgufBuilder(4)).code, Errc::Unsupported);
  EXPECT_EQ(error_of(GgufBuilder(0x03000000)).message, "a big-endian GGUF file");
}

TEST(HeaderDamage, RefusesCountsBeyondTheFile) {
  EXPECT_EQ(error_of(GgufBuilder().claim_pairs(kHuge)).code, Errc::Corrupt);
  EXPECT_EQ(error_of(with_architecture().claim_tensors(kHuge)).code, Errc::Corrupt);
  EXPECT_EQ(error_of(with_architecture().claim_pairs(60'000)).message, "truncated");
}

TEST(HeaderDamage, RefusesArraysThatCannotFit) {
  EXPECT_EQ(error_of(GgufBuilder().begin_array("a", 10, kHuge)).code, Errc::Corrupt);
  EXPECT_EQ(error_of(GgufBuilder().begin_array("a", 10, kHuge / 8 + 1)).code, Errc::Corrupt);
  EXPECT_EQ(error_of(GgufBuilder().begin_array("a", 8, 1U << 29U)).message, "truncated");
}

TEST(HeaderDamage, RefusesTextsBeyondTheFileOrReason) {
  EXPECT_EQ(error_of(GgufBuilder().claim_pairs(1).raw(kHuge, 8)).message, "truncated");
  GgufBuilder long_name;
  long_name.text("general.architecture", std::string(5'000, 'a'));
  EXPECT_EQ(error_of(long_name).code, Errc::Corrupt);
}

TEST(HeaderDamage, RefusesDeepNesting) {
  GgufBuilder builder;
  builder.begin_array("a", 9, 1);
  for (int depth = 0; depth < 1'000; ++depth) {
    builder.raw(9, 4).raw(1, 8);
  }
  EXPECT_EQ(error_of(builder).message, "arrays nested too deep");
}

TEST(HeaderDamage, RefusesUnknownValueTypes) {
  EXPECT_EQ(error_of(GgufBuilder().begin_array("a", 99, 0)).code, Errc::Corrupt);
  EXPECT_EQ(error_of(GgufBuilder().begin_array("a", 99, 1).raw(0, 8)).code, Errc::Corrupt);
}

TEST(HeaderDamage, RefusesImpossibleDimensions) {
  EXPECT_EQ(error_of(with_architecture().u32("x.block_count", 513)).code, Errc::Corrupt);
  EXPECT_EQ(error_of(with_architecture().i32("x.embedding_length", -1)).message,
            "embedding_length is out of range");
  EXPECT_EQ(error_of(with_architecture().u32("general.alignment", 24)).code, Errc::Corrupt);
  EXPECT_EQ(error_of(with_architecture().u32("general.alignment", 0)).code, Errc::Corrupt);
  EXPECT_EQ(error_of(GgufBuilder().u32("x.block_count", 1)).message, "no general.architecture");
}

TEST(HeaderDamage, RefusesRepeatedKeys) {
  GgufBuilder builder = with_architecture();
  for (int i = 0; i < 300; ++i) {
    builder.u32("x.block_count", 1);
  }
  EXPECT_EQ(error_of(builder).message, "keys repeat");
}

TEST(HeaderDamage, RefusesTensorsThatOverflow) {
  const std::uint64_t half = std::uint64_t{1} << 33U;
  EXPECT_EQ(error_of(with_architecture().tensor("t", {half, half}, 0, 0)).code, Errc::Corrupt);
  EXPECT_EQ(error_of(with_architecture().tensor("t", {std::uint64_t{1} << 62U, 1}, 0, 0)).code,
            Errc::Corrupt);
  EXPECT_EQ(error_of(with_architecture().tensor("t", {8}, 0, kHuge - 31), 64).code, Errc::Corrupt);
  EXPECT_EQ(error_of(with_architecture().tensor("t", {1, 1, 1, 1, 1}, 0, 0), 64).code,
            Errc::Corrupt);
}

TEST(HeaderDamage, RefusesTensorsOutsideTheFile) {
  EXPECT_EQ(error_of(with_architecture().tensor("t", {16}, 0, 64), 64).code, Errc::Corrupt);
  EXPECT_EQ(error_of(with_architecture().tensor("t", {8}, 0, 4), 64).message,
            "tensor t is not aligned");
}

TEST(HeaderDamage, RefusesTensorsThatShareBytesToLookLarge) {
  GgufBuilder builder = with_architecture();
  for (int i = 0; i < 64; ++i) {
    builder.tensor("t" + std::to_string(i), {1'024}, 0, 0);
  }
  EXPECT_EQ(error_of(builder, 4'096).code, Errc::Corrupt);
}

TEST(HeaderDamage, RefusesTypesTheEngineDoesNotKnow) {
  EXPECT_EQ(error_of(with_architecture().tensor("t", {32}, 4, 0), 64).code, Errc::Unsupported);
  EXPECT_EQ(error_of(with_architecture().tensor("t", {32}, 43, 0), 64).code, Errc::Unsupported);
  EXPECT_EQ(error_of(with_architecture().tensor("t", {31}, 8, 0), 64).code, Errc::Corrupt);
}

}  // namespace
}  // namespace hf::gguf
