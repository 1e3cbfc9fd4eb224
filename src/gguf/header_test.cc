#include "gguf/header.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "gguf/testing/gguf_builder.h"

namespace hf::gguf {
namespace {

using testing::GgufBuilder;
using testing::kSmallLlamaData;
using testing::small_llama;

Result<Header> parse(const GgufBuilder& builder, std::size_t data_bytes = 0) {
  const auto bytes = builder.build(data_bytes);
  MemorySource source(bytes, bytes.size());
  return parse_header(source);
}

TEST(Header, ReadsWhatAModelStates) {
  const auto header = parse(small_llama(), kSmallLlamaData);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->version, 3U);
  EXPECT_EQ(header->architecture, "llama");
  EXPECT_EQ(header->name, "Small");
  EXPECT_EQ(header->file_type, 1U);
  EXPECT_EQ(header->context_length, 4096U);
  EXPECT_EQ(header->embedding_length, 64U);
  EXPECT_EQ(header->block_count, 2U);
  EXPECT_EQ(header->head_count.at(1), 4U);
  EXPECT_EQ(header->head_count_kv.at(0), 2U);
  EXPECT_EQ(header->vocab_size, 3U);
  EXPECT_EQ(header->merge_count, 2U);
  EXPECT_EQ(header->vocab_bytes, Bytes(27 + 22)) << "three tokens of one byte, two merges of three";
  EXPECT_TRUE(header->has_chat_template);
  EXPECT_FALSE(header->pooling.has_value());
  EXPECT_FALSE(header->has_recurrent_state());
}

TEST(Header, SumsTensorsByLayerAndRole) {
  const auto header = parse(small_llama(), kSmallLlamaData);
  ASSERT_TRUE(header) << header.error().message;
  const TensorSummary& tensors = header->tensors;
  EXPECT_EQ(tensors.count, 5U);
  EXPECT_EQ(tensors.token_embedding, Bytes(64 * 3 * 4));
  EXPECT_EQ(tensors.output, Bytes(64 * 3 * 2));
  ASSERT_EQ(tensors.layers.size(), 2U);
  EXPECT_EQ(tensors.layers[0], Bytes(1024));
  EXPECT_EQ(tensors.layers[1], Bytes(1024 + 544));
  EXPECT_EQ(tensors.matrices[1], Bytes(2048)) << "rows in eights only";
  EXPECT_EQ(tensors.matrices[8], Bytes(544));
  EXPECT_EQ(tensors.total, Bytes(768 + 1024 + 1024 + 544 + 384));
  EXPECT_EQ(header->data_offset % 32, 0U);
}

TEST(Header, ReadsNumbersStatedPerLayer) {
  GgufBuilder builder;
  builder.text("general.architecture", "x").u32("x.block_count", 3);
  builder.u32s("x.attention.head_count_kv", {8, 0, 4});
  const auto header = parse(builder);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_TRUE(header->head_count_kv.varies());
  EXPECT_EQ(header->head_count_kv.at(0), 8U);
  EXPECT_EQ(header->head_count_kv.at(1), 0U);
  EXPECT_EQ(header->head_count_kv.at(7, 5), 5U) << "nothing stated for that layer";
  EXPECT_EQ(header->head_count_kv.largest(), 8U);
}

TEST(Header, FindsKeysThatPrecedeTheArchitecture) {
  GgufBuilder builder;
  builder.u32("late.context_length", 512).u32("other.context_length", 9);
  builder.text("general.architecture", "late");
  const auto header = parse(builder);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->context_length, 512U);
}

TEST(Header, ReadsPoolingAndSplit) {
  GgufBuilder builder(2);
  builder.text("general.architecture", "bert").u32("bert.pooling_type", 2);
  builder.u32("split.count", 3).u32("split.no", 1);
  const auto header = parse(builder);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->version, 2U);
  EXPECT_EQ(header->pooling, Pooling::Cls);
  EXPECT_EQ(header->split_count, 3U);
  EXPECT_EQ(header->split_no, 1U);
}

TEST(Header, ALaterPartOfASplitModelSaysNothingOfTheModel) {
  GgufBuilder builder;
  builder.u32("split.no", 1).u32("split.count", 2);
  builder.tensor("blk.1.attn_q.weight", {64, 8}, 1, 0).tensor("output.weight", {64, 3}, 1, 1024);
  const auto header = parse(builder, 1024 + 384);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->architecture, "");
  ASSERT_GT(header->tensors.layers.size(), 1U);
  EXPECT_EQ(header->tensors.layers[1], Bytes(1024));
  EXPECT_EQ(header->tensors.output, Bytes(384));
}

TEST(Header, SkipsNestedArraysAndFloats) {
  GgufBuilder builder;
  builder.begin_array("odd.nested", 9, 1).raw(6, 4).raw(2, 8).raw(0, 4).raw(0, 4);
  builder.text("general.architecture", "x");
  const auto header = parse(builder);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->architecture, "x");
}

TEST(Header, ReadsAFileFromDisk) {
  std::string pattern = (std::filesystem::temp_directory_path() / "hf-header-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(pattern.data());
  const auto path = folder / "model.gguf";
  const auto bytes = small_llama().build(kSmallLlamaData);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  const auto header = read_header(path);
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->name, "Small");
  EXPECT_EQ(header->file_size, Bytes(static_cast<std::int64_t>(bytes.size())));
}

TEST(Header, TellsMissingFilesFromOtherThings) {
  EXPECT_EQ(read_header("/nonexistent/model.gguf").error().code, Errc::NotFound);
  EXPECT_EQ(read_header("/").error().code, Errc::Unsupported);
  EXPECT_EQ(read_header("/dev/zero").error().code, Errc::Unsupported);
}

}  // namespace
}  // namespace hf::gguf
