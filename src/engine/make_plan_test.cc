#include "engine/make_plan.h"

#include <gtest/gtest.h>

#include "gguf/kind.h"

namespace hf::engine {
namespace {

gguf::Header header(const char* architecture = "llama") {
  gguf::Header h;
  h.architecture = architecture;
  h.context_length = 8'192;
  h.embedding_length = 1'024;
  h.block_count = 12;
  h.feed_forward_length.values = {2'816};
  h.head_count.values = {16};
  h.head_count_kv.values = {4};
  h.vocab_size = 1'000;
  h.has_chat_template = true;
  h.tensors.total = 500 * kMiB;
  return h;
}
config::ModelConfig settings() {
  config::ModelConfig s;
  s.name = "a";
  s.parallel = 2;
  return s;
}
const PlanFacts kFacts{"/m/a.gguf", "", Bytes(0)};
constexpr Bytes kTiB = 1024 * kGiB;

gguf::RunOptions options_with(std::vector<std::string> args) {
  config::ModelConfig s = settings();
  s.args = std::move(args);
  return cost_options(make_plan(s, header(), kFacts, kTiB).plan, Bytes(0));
}

TEST(MakePlan, HalvesAContextThatWasNotConfiguredUntilItFits) {
  const PlannedRun all = make_plan(settings(), header(), kFacts, kTiB);
  EXPECT_EQ(all.plan.context, 8'192);
  const PlannedRun half = make_plan(settings(), header(), kFacts, all.cost.total() - Bytes(1));
  EXPECT_EQ(half.plan.context, 4'096);
  config::ModelConfig fixed = settings();
  fixed.context = 8'192;
  EXPECT_EQ(make_plan(fixed, header(), kFacts, Bytes(1)).plan.context, 8'192);
}

TEST(MakePlan, AProjectorCountsWhenTheContextIsShrunk) {
  const Bytes alone = make_plan(settings(), header(), kFacts, kTiB).cost.total();
  const PlanFacts with{"/m/a.gguf", "/m/mmproj-a.gguf", 40 * kMiB};
  const PlannedRun run = make_plan(settings(), header(), with, alone);
  EXPECT_EQ(run.plan.context, 4'096);
  EXPECT_EQ(run.plan.mmproj_path, "/m/mmproj-a.gguf");
  EXPECT_EQ(make_plan(settings(), header(), with, kTiB).cost.total() - alone, 50 * kMiB)
      << "of a projector whose shape is not known: its weights and a quarter";
}

TEST(MakePlan, ABatchTakesAWholePictureWhereTheEngineCannotSplitIt) {
  PlanFacts facts{"/m/a.gguf", "/m/mmproj-a.gguf", 40 * kMiB};
  facts.projector.type = "gemma3";
  facts.projector.sees = 1;
  facts.projector.image_size = 896;
  facts.projector.patch_size = 14;
  EXPECT_EQ(make_plan(settings(), header(), facts, kTiB).plan.batch, 0) << "256 tokens";
  facts.projector.scale_factor = 2;
  EXPECT_EQ(make_plan(settings(), header(), facts, kTiB).plan.batch, 1'024);
  facts.projector.type = "mlp";
  EXPECT_EQ(make_plan(settings(), header(), facts, kTiB).plan.batch, 0);
}

TEST(MakePlan, TheDefaultPromptCacheHoldsWholePrompts) {
  const PlannedRun run = make_plan(settings(), header(), kFacts, kTiB);
  const Bytes prompt = gguf::prompt_bytes(header(), cost_options(run.plan, Bytes(0)));
  const Bytes most = gguf::default_cache_ram(500 * kMiB);
  ASSERT_GT(prompt, most) << "one that cannot hold any keeps its size, for shorter ones";
  EXPECT_EQ(run.plan.cache_ram, most);
  config::ModelConfig shorter = settings();
  shorter.context = 2'048;
  const Bytes small = make_plan(shorter, header(), kFacts, kTiB).plan.cache_ram;
  EXPECT_EQ(small.count % kMiB.count, 0);
  EXPECT_GE(small, 2 * Bytes(2'048 * (12 * 1'024 + 16)));
  EXPECT_LE(small, most);
  shorter.cache_ram = 7 * kMiB;
  EXPECT_EQ(make_plan(shorter, header(), kFacts, kTiB).plan.cache_ram, 7 * kMiB);
}

TEST(MakePlan, WindowsInFullUnlessToldOtherwise) {
  gguf::Header windows = header("gemma3");
  windows.sliding_window = 512;
  const PlannedRun full = make_plan(settings(), windows, kFacts, kTiB);
  EXPECT_TRUE(full.plan.swa_full);
  EXPECT_EQ(full.plan.context_checkpoints, 0);
  config::ModelConfig s = settings();
  s.swa_full = false;
  const PlannedRun small = make_plan(s, windows, kFacts, kTiB);
  EXPECT_FALSE(small.plan.swa_full);
  EXPECT_GT(small.plan.context_checkpoints, 0) << "else a prompt that comes back is read anew";
  EXPECT_LT(small.cost.total(), full.cost.total());
  s.swa_full = true;
  EXPECT_FALSE(make_plan(s, header(), kFacts, kTiB).plan.swa_full) << "there are no windows";
}

TEST(MakePlan, ChatModelsPayForEmbeddingsOnlyWhenTold) {
  config::ModelConfig s = settings();
  const Bytes served = make_plan(s, header(), kFacts, kTiB).cost.total();
  s.embeddings = false;
  EXPECT_FALSE(make_plan(s, header(), kFacts, kTiB).plan.embeddings);
  EXPECT_EQ(make_plan(s, header(), kFacts, kTiB).cost.total(), served);
  s.embeddings = true;
  EXPECT_GT(make_plan(s, header(), kFacts, kTiB).cost.total(), served);
}

TEST(MakePlan, ABatchHoldsTheContextOfModelsThatReadAtOneGo) {
  gguf::Header encoder = header("bert");
  const PlannedRun run = make_plan(settings(), encoder, kFacts, kTiB);
  EXPECT_EQ(run.plan.context, 8'192);
  EXPECT_EQ(run.plan.batch, 8'192);
  EXPECT_EQ(run.plan.batch_rows, 8'192);
  const PlannedRun half = make_plan(settings(), encoder, kFacts, run.cost.total() - Bytes(1));
  EXPECT_EQ(half.plan.batch, half.plan.context) << "it shrinks with the context";
  EXPECT_LT(half.cost.compute, run.cost.compute);
  EXPECT_EQ(make_plan(settings(), header(), kFacts, kTiB).plan.batch, 0);
  config::ModelConfig s = settings();
  s.context = 16'384;
  EXPECT_EQ(make_plan(s, encoder, kFacts, kTiB).plan.batch, 8'192) << "it was trained for no more";
  s.args = {"--ubatch-size", "256"};
  EXPECT_EQ(make_plan(s, encoder, kFacts, kTiB).plan.batch_rows, 256) << "the last word counts";
}

TEST(MakePlan, FilesThatFlagsNameAreCounted) {
  const gguf::Cost alone = make_plan(settings(), header(), kFacts, kTiB).cost;
  PlanFacts facts = kFacts;
  facts.adapters = 30 * kMiB;
  facts.draft = header();
  const gguf::Cost cost = make_plan(settings(), header(), facts, kTiB).cost;
  EXPECT_EQ(cost.weights, alone.weights + alone.weights + 30 * kMiB);
  EXPECT_EQ(cost.kv_cache, alone.kv_cache + alone.kv_cache);
  EXPECT_EQ(cost.cache_ram, alone.cache_ram);
}

TEST(CostOptions, ReadTheFlagsThatChangeMemory) {
  const gguf::RunOptions usual = options_with({});
  EXPECT_EQ(usual.ubatch, 512U);
  EXPECT_EQ(options_with({"-ub", "128"}).ubatch, 128U);
  EXPECT_EQ(options_with({"--ubatch-size", "1024", "--batch_size", "256"}).batch, 256U);
  EXPECT_EQ(options_with({"--threads", "1", "-tb", "9"}).threads, 9U);
  for (const char* no : {"off", "disabled", "false", "0"}) {
    EXPECT_FALSE(options_with({"-fa", no}).flash_attention) << no;
  }
  EXPECT_TRUE(options_with({"-fa", "1"}).flash_attention);
  EXPECT_EQ(options_with({"-ub", "many"}).ubatch, 512U) << "the engine refuses it";
  EXPECT_GE(options_with({"-ub", "0"}).ubatch, 2'048U) << "as large as a batch";
  EXPECT_GE(options_with({"-b", "-1"}).batch, 8'192U) << "as large as the context";
}

TEST(CostOptions, LayersLeaveTheHostOnlyWhereThereAreCards) {
  config::ModelConfig s = settings();
  s.gpu_layers = config::GpuLayers{4};
  RunPlan plan = make_plan(s, header(), kFacts, kTiB).plan;
  EXPECT_EQ(cost_options(plan, Bytes(0)).gpu_layers, 0U);
  plan.cards_counted = true;
  EXPECT_EQ(cost_options(plan, Bytes(0)).gpu_layers, 4U);
}

}  // namespace
}  // namespace hf::engine
