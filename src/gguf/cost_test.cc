#include "gguf/cost.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "gguf/architecture.h"
#include "gguf/compute_size.h"

namespace hf::gguf {
namespace {

// 12 layers, 1,024 wide, 16 heads of 64 over 4.
Header model(const char* architecture) {
  Header header;
  header.architecture = architecture;
  header.embedding_length = 1'024;
  header.block_count = 12;
  header.feed_forward_length.values = {2'816};
  header.head_count.values = {16};
  header.head_count_kv.values = {4};
  header.vocab_size = 1'000;
  header.tensors.total = 500 * kMiB;
  header.tensors.layers.assign(12, 40 * kMiB);
  header.tensors.output = 10 * kMiB;
  return header;
}

// Keys and values of one token in one layer of model(): 2 * 4 * 64 numbers of 2 bytes.
constexpr std::int64_t kTokenBytes = 1'024;

RunOptions options(std::uint32_t context = 4'096, std::uint32_t parallel = 2) {
  RunOptions result;
  result.context = context;
  result.parallel = parallel;
  return result;
}

TEST(Cost, CountsGroupedKeysForEverySlot) {
  const Cost cost = predict_cost(model("llama"), options());
  EXPECT_EQ(cost.kv_cache, Bytes(12 * 2 * 4'096 * kTokenBytes));
}

TEST(Cost, RoundsTheContextOfASlotUp) {
  EXPECT_EQ(predict_cost(model("llama"), options(4'097)).kv_cache,
            Bytes(12 * 2 * (4'096 + 256) * kTokenBytes));
}

TEST(Cost, WithoutKvHeadsEveryHeadHasKeys) {
  Header header = model("llama");
  header.head_count_kv.values.clear();
  EXPECT_EQ(predict_cost(header, options()).kv_cache, Bytes(4 * 12 * 2 * 4'096 * kTokenBytes));
}

TEST(Cost, QuantisedCachesAreSmaller) {
  RunOptions quantised = options();
  quantised.cache_type_k = TensorType::Q8_0;
  // keys 34/32 bytes a number, values still 2
  EXPECT_EQ(predict_cost(model("llama"), quantised).kv_cache,
            Bytes(12 * 2 * 4'096 * (256 * 34 / 32 + 512)));
}

TEST(Cost, WindowLayersKeepTheWindowAndABatch) {
  Header header = model("gemma3");
  header.sliding_window = 512;
  // 10 of 12 layers have a window of 512 + 512 cells
  EXPECT_EQ(predict_cost(header, options()).kv_cache,
            Bytes(2 * kTokenBytes * (2 * 4'096 + 10 * 1'024)));
  RunOptions full = options();
  full.swa_full = true;
  EXPECT_EQ(predict_cost(header, full).kv_cache, Bytes(2 * kTokenBytes * 12 * 4'096));
  EXPECT_TRUE(needs_swa_full(header));
  EXPECT_FALSE(needs_swa_full(model("gemma3")));
}

TEST(Cost, HalfOfGptOssHasAWindow) {
  Header header = model("gpt-oss");
  header.sliding_window = 128;
  EXPECT_EQ(predict_cost(header, options()).kv_cache, Bytes(2 * kTokenBytes * 6 * (4'096 + 768)));
}

TEST(Cost, AListOfWindowLayersWinsOverTheRule) {
  Header header = model("gemma4");
  header.sliding_window = 512;
  EXPECT_FALSE(needs_swa_full(header)) << "no list: every layer counts in full";
  header.sliding_window_pattern.values.assign(12, 0);
  header.sliding_window_pattern.values[3] = 1;
  EXPECT_EQ(predict_cost(header, options()).kv_cache,
            Bytes(2 * kTokenBytes * (11 * 4'096 + 1'024)));
}

TEST(Cost, AWindowThatTheEngineIgnoresIsIgnored) {
  Header header = model("phi3");
  header.sliding_window = 512;
  EXPECT_FALSE(needs_swa_full(header));
  EXPECT_EQ(predict_cost(header, options()).kv_cache, Bytes(12 * 2 * 4'096 * kTokenBytes));
}

TEST(Cost, RecurrentModelsKeepAStateWhateverTheContext) {
  Header header = model("mamba");
  header.ssm_conv_kernel = 4;
  header.ssm_inner_size = 2'048;
  header.ssm_state_size = 16;
  const Cost small = predict_cost(header, options(512));
  EXPECT_EQ(small.kv_cache, predict_cost(header, options(32'768)).kv_cache);
  EXPECT_EQ(small.kv_cache, Bytes(12 * 2 * 4 * (4 * 2'048 + 16 * 2'048)));
}

TEST(Cost, HybridsMixStatesAndKeys) {
  Header header = model("qwen3next");
  header.ssm_inner_size = 2'048;
  header.ssm_state_size = 128;
  EXPECT_TRUE(layer_memory(header, 0).state);
  EXPECT_FALSE(layer_memory(header, 0).whole_context);
  EXPECT_TRUE(layer_memory(header, 3).whole_context);
  Header jamba = header;
  jamba.architecture = "jamba";
  jamba.head_count_kv.values.assign(12, 0);
  jamba.head_count_kv.values[5] = 4;
  EXPECT_TRUE(layer_memory(jamba, 0).state);
  EXPECT_FALSE(layer_memory(jamba, 5).state);
  EXPECT_TRUE(layer_memory(jamba, 5).whole_context);
}

TEST(Cost, LatentAttentionKeepsNoValues) {
  Header header = model("deepseek2");
  header.head_count_kv.values = {1};
  header.key_length = 576;
  header.value_length = 512;
  header.key_length_mla = 192;
  EXPECT_EQ(predict_cost(header, options()).kv_cache, Bytes(12 * 2 * 4'096 * 576 * 2));
}

TEST(Cost, GrokHasNoFlashAttention) {
  RunOptions without = options();
  without.flash_attention = false;
  EXPECT_EQ(predict_cost(model("grok"), options()).compute,
            predict_cost(model("llama"), without).compute);
}

TEST(Cost, RowsAreSortedByExpert) {
  Header few = model("qwen3moe");
  few.expert_count = 64;
  few.expert_used_count.values = {8};
  few.expert_feed_forward_length = 256;
  Header many = few;
  many.expert_count = 128;
  EXPECT_EQ(predict_cost(many, options()).compute - predict_cost(few, options()).compute,
            Bytes(64 * 8 * 512 * 8));
}

TEST(Cost, EncodersKeepNothing) {
  EXPECT_EQ(predict_cost(model("bert"), options()).kv_cache, Bytes(0));
}

TEST(Cost, EachTokenOfAnEncodersBatchGetsARowOfTheVocabulary) {
  Header header = model("bert");
  RunOptions with = options(512, 1);
  with.embeddings = true;
  const Bytes few = predict_cost(header, with).compute;
  header.vocab_size = 250'000;
  EXPECT_EQ(predict_cost(header, with).compute - few, Bytes(249'000LL * 512 * 4));
}

TEST(Cost, CheckpointsCountOnlyWhereTheyAreMade) {
  RunOptions with = options();
  with.ctx_checkpoints = 8;
  EXPECT_EQ(predict_cost(model("llama"), with).checkpoints, Bytes(0));
  Header header = model("gemma3");
  header.sliding_window = 512;
  EXPECT_EQ(predict_cost(header, with).checkpoints, Bytes(8 * 2 * 10 * 512 * kTokenBytes))
      << "of 1,024 cells half are out of sight";
  with.swa_full = true;
  EXPECT_EQ(predict_cost(header, with).checkpoints, Bytes(0));
}

TEST(Cost, CacheRamIsItsLimitAndAFewHoles) {
  RunOptions with = options();
  EXPECT_EQ(predict_cost(model("llama"), with).cache_ram, Bytes(0));
  with.cache_ram = 256 * kMiB;
  EXPECT_EQ(predict_cost(model("llama"), with).cache_ram, 260 * kMiB);
}

TEST(Cost, OnePromptIsItsCachesAndItsTokens) {
  EXPECT_EQ(prompt_bytes(model("llama"), options()), Bytes(4'096 * (12 * kTokenBytes + 16)));
  Header header = model("gemma3");
  header.sliding_window = 512;
  RunOptions with = options();
  with.swa_full = true;
  // Two layers in full, of ten the window; two caches of 4,096 cells.
  EXPECT_EQ(prompt_bytes(header, with),
            Bytes((4'096 * 2 + 512 * 10) * kTokenBytes + 2 * 4'096 * 16));
}

TEST(Cost, RepackedWeightsComeOnTopOfTheMappedFile) {
  Header header = model("llama");
  header.tensors.matrices[2] = 400 * kMiB;
  RunOptions with = options();
  EXPECT_EQ(predict_cost(header, with).weights, 500 * kMiB);
  with.repack = Repack::Avx2;
  EXPECT_EQ(predict_cost(header, with).weights, 900 * kMiB);
  with.load_mode = LoadMode::Read;
  EXPECT_EQ(predict_cost(header, with).weights, 500 * kMiB);
}

TEST(Cost, ATiedOutputIsRepackedToo) {
  Header header = model("llama");
  header.tensors.output = Bytes(0);
  header.tensors.token_embedding = 100 * kMiB;
  header.tensors.token_embedding_type = 12;
  RunOptions with = options();
  with.repack = Repack::Avx512;
  EXPECT_EQ(predict_cost(header, with).weights, 600 * kMiB);
}

TEST(Cost, EmbeddingsComputeLogitsForAWholeBatch) {
  Header header = model("llama");
  header.vocab_size = 262'144;
  RunOptions with = options();
  const Bytes plain = predict_cost(header, with).compute;
  with.embeddings = true;
  const Bytes embedding = predict_cost(header, with).compute;
  EXPECT_GE(embedding - plain, Bytes(std::int64_t{2} * 500 * 262'144 * 4));
}

// The engine logs "compute buffer size" for these; rows of 512, a context of 2,048.
TEST(Cost, ScratchIsWhatTheEngineLogs) {
  struct Shape {
    std::uint32_t embedding, feed_forward, heads, kv_heads;
    double logged_mib;  // less the mask
  };
  for (const Shape& shape : {Shape{1'024, 2'816, 16, 4, 24.51}, Shape{1'024, 4'096, 16, 4, 32.01},
                             Shape{512, 1'408, 8, 2, 12.26}, Shape{512, 64, 8, 2, 5.01},
                             Shape{512, 64, 8, 8, 6.01}, Shape{64, 192, 2, 2, 1.64}}) {
    Header header = model("llama");
    header.embedding_length = shape.embedding;
    header.feed_forward_length.values = {shape.feed_forward};
    header.head_count.values = {shape.heads};
    header.head_count_kv.values = {shape.kv_heads};
    const ComputeSize size = compute_size(header, options(2'048));
    const double mask_mib = 2;
    const double copies_mib =
        std::max(shape.feed_forward, shape.embedding) * 512.0 * 2 / 1048576 + 0.2;
    const double scratch_mib = static_cast<double>(size.scratch) / 1048576 - mask_mib;
    EXPECT_GE(scratch_mib, shape.logged_mib - 0.02);
    EXPECT_LE(scratch_mib, shape.logged_mib + copies_mib);
  }
}

TEST(Cost, WithoutFlashAttentionScoresAreKeptInFull) {
  RunOptions with = options();
  const std::uint64_t flash = compute_size(model("llama"), with).scratch;
  with.flash_attention = false;
  // 16 heads of 512 rows and 4,096 cells in 32 bits
  EXPECT_GE(compute_size(model("llama"), with).scratch, flash + 16ULL * 512 * 4'096 * 4);
}

TEST(Cost, SmallBatchesNeedLessScratch) {
  RunOptions with = options();
  with.ubatch = 64;
  EXPECT_LT(compute_size(model("llama"), with).scratch,
            compute_size(model("llama"), options()).scratch / 6);
}

TEST(Cost, AUnifiedCacheIsSeenByEveryRow) {
  RunOptions with = options();
  with.unified_cache = true;
  // A mask of 512 rows and the cells of all slots in 16 bits, of which one slot's were there.
  EXPECT_EQ(compute_size(model("llama"), with).inputs,
            compute_size(model("llama"), options()).inputs +
                512ULL * 4'096 * (options().parallel - 1) * 2);
}

TEST(Cost, LargeVocabulariesCountTwiceOver) {
  Header header = model("llama");
  const Bytes before = predict_cost(header, options()).process_overhead;
  header.vocab_size += 100'000;
  header.merge_count = 100'000;
  EXPECT_EQ(predict_cost(header, options()).process_overhead,
            before + Bytes(100'000 * (185 + 175 + 2 * 20)));
}

TEST(Cost, LayersOnADeviceAreStatedApart) {
  RunOptions with = options();
  EXPECT_EQ(predict_cost(model("llama"), with).device, Bytes(0));
  with.gpu_layers = 3;
  const Cost host = predict_cost(model("llama"), options());
  const Cost some = predict_cost(model("llama"), with);
  // The engine counts the output as a layer: two layers and the output.
  EXPECT_EQ(some.device, 90 * kMiB + Bytes(2 * 2 * 4'096 * kTokenBytes));
  EXPECT_GT(some.device_compute, Bytes(0));
  EXPECT_EQ(some.weights, host.weights - 90 * kMiB) << "the engine unmaps what is on the card";
  EXPECT_EQ(some.kv_cache, host.kv_cache - Bytes(2 * 2 * 4'096 * kTokenBytes));
  with.gpu_layers = 99;
  const Cost all = predict_cost(model("llama"), with);
  EXPECT_EQ(all.device, 490 * kMiB + Bytes(12 * 2 * 4'096 * kTokenBytes));
  EXPECT_EQ(all.kv_cache, Bytes(0));
  EXPECT_EQ(all.weights, 10 * kMiB) << "what is left is the token embedding";
  EXPECT_LT(all.compute, some.compute);
}

TEST(Cost, ATiedOutputIsOnTheCardAndOnTheHost) {
  Header header = model("gemma3");
  header.tensors.output = Bytes(0);
  header.tensors.token_embedding = 100 * kMiB;
  RunOptions with = options();
  with.gpu_layers = 1;
  const Cost cost = predict_cost(header, with);
  EXPECT_EQ(cost.device, 100 * kMiB);
  EXPECT_EQ(cost.weights, 500 * kMiB);
}

TEST(Cost, AbsurdFilesEndAtALimitInsteadOfOverflowing) {
  Header header = model("llama");
  const auto most = static_cast<std::uint32_t>(std::numeric_limits<std::int32_t>::max());
  header.head_count.values = {most};
  header.head_count_kv.values = {most};
  header.key_length = header.value_length = header.vocab_size = most;
  header.feed_forward_length.values = {most};
  header.expert_count = header.expert_feed_forward_length = most;
  header.expert_used_count.values = {most};
  RunOptions with = options(most, most);
  with.ctx_checkpoints = most;
  with.embeddings = true;
  with.cache_ram = kGiB;
  const Cost cost = predict_cost(header, with);
  EXPECT_EQ(cost.kv_cache, Bytes(std::int64_t{1} << 55U));
  EXPECT_GT(cost.total(), cost.kv_cache);
}

}  // namespace
}  // namespace hf::gguf
