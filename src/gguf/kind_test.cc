#include "gguf/kind.h"

#include <gtest/gtest.h>

namespace hf::gguf {
namespace {

Header of(const char* architecture) {
  Header header;
  header.architecture = architecture;
  return header;
}

TEST(Kind, ComesFromPoolingBeforeAnythingElse) {
  Header header = of("qwen3");
  header.has_chat_template = true;
  EXPECT_EQ(kind_of(header), Kind::Chat);
  header.pooling = Pooling::Last;
  EXPECT_EQ(kind_of(header), Kind::Embedding);
  header.pooling = Pooling::Rank;
  EXPECT_EQ(kind_of(header), Kind::Reranker);
  header.pooling = Pooling::None;
  EXPECT_EQ(kind_of(header), Kind::Chat);
}

TEST(Kind, EncodersEmbedEvenWithoutAPoolingType) {
  EXPECT_EQ(kind_of(of("nomic-bert")), Kind::Embedding);
  EXPECT_EQ(kind_of(of("gemma-embedding")), Kind::Embedding);
}

TEST(Kind, WithoutATemplateItCompletes) {
  EXPECT_EQ(kind_of(of("llama")), Kind::Completion);
}

TEST(DefaultContext, IsWhatWasTrainedUpTo32k) {
  Header header = of("llama");
  header.context_length = 8'192;
  EXPECT_EQ(default_context(header), 8'192U);
  header.context_length = 131'072;
  EXPECT_EQ(default_context(header), 32'768U);
  header.context_length = 0;
  EXPECT_EQ(default_context(header), 32'768U);
}

TEST(ReadsAtOneGo, WhatIsPooledOverAllTokens) {
  Header header = of("qwen3");
  EXPECT_FALSE(reads_at_one_go(header)) << "a chat model";
  header.pooling = Pooling::Last;
  EXPECT_FALSE(reads_at_one_go(header));
  for (const Pooling pooling : {Pooling::Mean, Pooling::Cls, Pooling::Rank}) {
    header.pooling = pooling;
    EXPECT_TRUE(reads_at_one_go(header));
  }
  Header encoder = of("bert");
  encoder.pooling = Pooling::Last;
  EXPECT_TRUE(reads_at_one_go(encoder)) << "nothing is kept between batches";
}

TEST(DefaultContext, IsLessWhereABatchMustHoldAllOfIt) {
  Header header = of("bert");
  header.context_length = 512;
  EXPECT_EQ(default_context(header), 512U);
  header.context_length = 32'768;
  EXPECT_EQ(default_context(header), 8'192U);
  header.vocab_size = 30'522;
  EXPECT_EQ(default_context(header), 8'192U);
  header.vocab_size = 250'002;
  EXPECT_EQ(default_context(header), 1'024U) << "8,192 rows of it would take 8 GB";
  Header pooled = of("qwen3");
  pooled.pooling = Pooling::Mean;
  pooled.context_length = 32'768;
  EXPECT_EQ(default_context(pooled), 2'048U);
}

TEST(DefaultCacheRam, IsAnEighthWithinLimits) {
  EXPECT_EQ(default_cache_ram(Bytes(1)), 64 * kMiB);
  EXPECT_EQ(default_cache_ram(4 * kGiB), 512 * kMiB);
  EXPECT_EQ(default_cache_ram(100 * kGiB), 2 * kGiB);
}

}  // namespace
}  // namespace hf::gguf
