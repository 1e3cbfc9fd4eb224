#include "gguf/description.h"

#include <gtest/gtest.h>

#include "gguf/file_type.h"
#include "gguf/header.h"
#include "gguf/testing/gguf_builder.h"

namespace hf::gguf {
namespace {

using testing::GgufBuilder;
using testing::kSmallLlamaData;
using testing::small_llama;

Result<Description> describe(const GgufBuilder& builder, Detail detail = Detail::Brief) {
  const auto bytes = builder.build(kSmallLlamaData);
  MemorySource source(bytes, bytes.size());
  return parse_description(source, detail);
}

const Value* find(const Description& description, std::string_view key) {
  for (const auto& [name, value] : description.values) {
    if (name == key) {
      return &value;
    }
  }
  return nullptr;
}

std::vector<std::string> many(std::size_t count) {
  return std::vector<std::string>(count, "word");
}

TEST(Description, HoldsKeysAndValuesAndTheTemplate) {
  const auto found = describe(small_llama());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*find(*found, "general.name"), Value(std::string("Small")));
  EXPECT_EQ(*find(*found, "llama.context_length"), Value(std::int64_t{4096}));
  EXPECT_EQ(found->chat_template, "{{ messages }}");
  EXPECT_EQ(find(*found, "tokenizer.chat_template"), nullptr);
  EXPECT_FALSE(found->fills_in);
  EXPECT_TRUE(found->tensors.empty());
}

TEST(Description, NumbersOfAllKinds) {
  GgufBuilder builder = small_llama();
  builder.i32("a.negative", -5).begin_array("a.floats", 6, 2).raw(0x3F800000, 4).raw(0xBF000000, 4);
  const auto found = describe(builder);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*find(*found, "a.negative"), Value(std::int64_t{-5}));
  const List& floats = std::get<List>(*find(*found, "a.floats"));
  EXPECT_EQ(floats.elements, (std::vector<Scalar>{1.0, -0.5}));
}

TEST(Description, BytesThatAreNoTextAreReplaced) {
  GgufBuilder builder = small_llama();
  builder.text("x.bad\xFF", "a\xC3").texts("x.list", {"good", "\xE2\x82"});
  const auto found = describe(builder);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*find(*found, "x.bad\uFFFD"), Value(std::string("a\uFFFD")));
  const List& list = std::get<List>(*find(*found, "x.list"));
  EXPECT_EQ(list.elements, (std::vector<Scalar>{"good", "\uFFFD\uFFFD"}));
}

TEST(Description, LongListsComeOnlyWhenAllIsAskedFor) {
  GgufBuilder builder = small_llama();
  builder.texts("general.tags", {"chat", "small"}).texts("x.words", many(6));
  const auto brief = describe(builder);
  ASSERT_TRUE(brief);
  EXPECT_EQ(std::get<List>(*find(*brief, "general.tags")).elements.size(), 2U);
  EXPECT_EQ(std::get<List>(*find(*brief, "x.words")).count, 6U);
  EXPECT_TRUE(std::get<List>(*find(*brief, "x.words")).elements.empty());
  const auto whole = describe(builder, Detail::Whole);
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(std::get<List>(*find(*whole, "x.words")).elements.size(), 6U);
  ASSERT_EQ(whole->tensors.size(), 5U);
  EXPECT_EQ(whole->tensors[1].name, "blk.0.attn_q.weight");
  EXPECT_EQ(whole->tensors[1].type, "f16");
  EXPECT_EQ(whole->tensors[1].extents, (std::vector<std::uint64_t>{64, 8}));
}

TEST(Description, AModelThatFillsInIsKnownByItsTokens) {
  GgufBuilder builder;
  std::vector<std::string> tokens = many(100);
  tokens[70] = "<|fim_prefix|>";
  builder.text("general.architecture", "llama").texts("tokenizer.ggml.tokens", tokens);
  EXPECT_TRUE(describe(builder)->fills_in);
  GgufBuilder by_key;
  by_key.text("general.architecture", "llama").u32("tokenizer.ggml.fim_pre_token_id", 7);
  EXPECT_TRUE(describe(by_key)->fills_in);
  GgufBuilder elsewhere;
  elsewhere.text("general.architecture", "llama").texts("x.tokens", tokens);
  EXPECT_FALSE(describe(elsewhere)->fills_in);
}

TEST(Description, WhatIsTooLargeIsLeftOut) {
  GgufBuilder builder = small_llama();
  builder.text("general.license", std::string(2 * 1024 * 1024, 'x')).u32("after.it", 1);
  const auto found = describe(builder);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(find(*found, "general.license"), nullptr);
  EXPECT_NE(find(*found, "after.it"), nullptr);
}

TEST(Description, DamagedFilesAreErrors) {
  const auto whole = small_llama().build(kSmallLlamaData);
  for (std::size_t size = 0; size < 400; ++size) {
    const std::span<const std::byte> bytes(whole.data(), size);
    MemorySource source(bytes, size);
    EXPECT_FALSE(parse_description(source, Detail::Whole)) << size;
  }
  EXPECT_FALSE(describe(small_llama().claim_pairs(1'000'000)));
  EXPECT_FALSE(describe(small_llama().begin_array("x", 8, 1U << 30U)));
  EXPECT_FALSE(describe(small_llama().begin_array("x", 9, 1)));
  EXPECT_FALSE(describe(small_llama().begin_array("x", 99, 1).raw(0, 8)));
}

TEST(FileTypes, HaveTheNamesThatPeopleKnow) {
  EXPECT_EQ(file_type_name(0), "F32");
  EXPECT_EQ(file_type_name(7), "Q8_0");
  EXPECT_EQ(file_type_name(15), "Q4_K_M");
  EXPECT_EQ(file_type_name(32), "BF16");
  EXPECT_EQ(file_type_name(41), "Q2_0");
  EXPECT_EQ(file_type_name(4), "");
  EXPECT_EQ(file_type_name(1024), "");
}

TEST(HeaderOfAModel, CountsItsWeights) {
  const auto bytes = small_llama().build(kSmallLlamaData);
  MemorySource source(bytes, bytes.size());
  EXPECT_EQ(parse_header(source)->tensors.weights, 2U * 64 * 3 + 3U * 64 * 8);
}

}  // namespace
}  // namespace hf::gguf
