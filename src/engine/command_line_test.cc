#include "engine/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace hf::engine {
namespace {

using testing::Contains;
using testing::IsSupersetOf;
using testing::Not;

process::EngineTraits traits(std::set<std::string, std::less<>> flags) {
  process::EngineTraits t;
  t.flags = std::move(flags);
  return t;
}

const process::EngineTraits kNew =
    traits({"--alias", "--no-ui", "--no-slots", "--offline", "--fit", "--ctx-size", "--parallel",
            "--cache-ram", "--ctx-checkpoints", "--load-mode", "--embeddings", "--pooling",
            "--reranking", "--swa-full", "--n-gpu-layers", "--cors-origins"});

RunPlan plan() {
  RunPlan p;
  p.model_path = "/m/a.gguf";
  p.name = "a";
  p.context = 2048;
  p.parallel = 4;
  p.cache_ram = 64 * kMiB;
  return p;
}

TEST(CommandLine, GivesTheChildContextTimesParallel) {
  const auto line = command_line(plan(), "/run/x.sock", kNew);
  const auto at = std::find(line.begin(), line.end(), "--ctx-size");
  ASSERT_NE(at, line.end());
  EXPECT_EQ(*(at + 1), "8192");
}

TEST(CommandLine, LeavesOutWhatTheEngineDoesNotKnow) {
  const auto line = command_line(plan(), "/run/x.sock", traits({"--no-webui"}));
  EXPECT_THAT(line, Contains("--no-webui"));
  EXPECT_THAT(line, Not(Contains("--no-ui")));
  EXPECT_THAT(line, Not(Contains("--fit")));
}

TEST(CommandLine, FewBitsForValuesSwitchFlashAttentionOn) {
  process::EngineTraits engine = kNew;
  engine.flags.insert({"--cache-type-k", "--cache-type-v", "--flash-attn"});
  RunPlan p = plan();
  EXPECT_THAT(command_line(p, "/run/x.sock", engine), Not(Contains("--cache-type-k")));
  const std::string before = options_key(p);
  p.cache_type_k = config::CacheType::Q8_0;
  EXPECT_NE(options_key(p), before) << "it was measured with another cache";
  const auto keys = command_line(p, "/run/x.sock", engine);
  EXPECT_THAT(keys, IsSupersetOf({"--cache-type-k", "q8_0"}));
  EXPECT_THAT(keys, Not(Contains("--flash-attn")));
  p.cache_type_v = config::CacheType::Iq4Nl;
  EXPECT_THAT(command_line(p, "/run/x.sock", engine),
              IsSupersetOf({"--cache-type-v", "iq4_nl", "--flash-attn", "on"}));
}

TEST(CommandLine, EmbeddingsCanBeRefused) {
  RunPlan p = plan();
  p.embeddings = false;
  EXPECT_THAT(command_line(p, "/run/x.sock", kNew), Not(Contains("--embeddings")));
  p.kind = ModelKind::Embedding;
  EXPECT_THAT(command_line(p, "/run/x.sock", kNew), Contains("--embeddings"));
}

TEST(CommandLine, WhatWasMeasuredWithoutReservedEmbeddingsIsNoMeasureOfThem) {
  RunPlan p = plan();
  const std::string before = options_key(p);
  p.embeddings_reserved = true;
  EXPECT_NE(options_key(p), before);
}

TEST(CommandLine, WhatWasMeasuredWithOtherThreadsIsAnotherFigure) {
  RunPlan p = plan();
  const std::string before = options_key(p);
  p.threads += 1;
  EXPECT_NE(options_key(p), before);
}

TEST(CommandLine, ChatModelsServeEmbeddingsToo) {
  const auto line = command_line(plan(), "/run/x.sock", kNew);
  EXPECT_THAT(line, IsSupersetOf({"--embeddings", "--pooling", "last"}));
}

TEST(CommandLine, EmbeddingModelsKeepTheirOwnPooling) {
  RunPlan p = plan();
  p.kind = ModelKind::Embedding;
  EXPECT_THAT(command_line(p, "/run/x.sock", kNew), Not(Contains("--pooling")));
}

TEST(CommandLine, SaysHowLargeABatchIsWhereThatMatters) {
  RunPlan p = plan();
  const std::string before = options_key(p);
  const process::EngineTraits engine =
      traits({"--batch-size", "--ubatch-size", "--kv-unified", "--kv-unified-per-slot"});
  EXPECT_THAT(command_line(p, "/run/x.sock", engine), Not(Contains("--ubatch-size")));
  EXPECT_THAT(command_line(p, "/run/x.sock", engine), Not(Contains("--kv-unified")));
  p.batch = 2'048;
  EXPECT_THAT(command_line(p, "/run/x.sock", engine),
              IsSupersetOf({"--batch-size", "--ubatch-size", "2048", "--kv-unified",
                            "--kv-unified-per-slot", std::to_string(p.context).c_str()}));
  EXPECT_NE(options_key(p), before);
}

TEST(CommandLine, OldEnginesGetTheOldLoadSwitch) {
  RunPlan p = plan();
  p.load_mode = config::LoadMode::None;
  EXPECT_THAT(command_line(p, "/run/x.sock", traits({"--no-mmap"})), Contains("--no-mmap"));
  EXPECT_THAT(command_line(p, "/run/x.sock", kNew), Not(Contains("--no-mmap")));
}

// The words after a flag; empty if it is not there.
std::string after(const std::vector<std::string>& line, const std::string& flag) {
  const auto at = std::find(line.begin(), line.end(), flag);
  return at == line.end() || at + 1 == line.end() ? "" : *(at + 1);
}

const process::EngineTraits kCards =
    traits({"--n-gpu-layers", "--device", "--split-mode", "--tensor-split", "--main-gpu",
            "--mmproj", "--no-mmproj-offload", "--mmproj-device"});

TEST(CommandLine, OneCardIsNamedOutright) {
  RunPlan p = plan();
  p.cards_counted = true;
  p.gpu_layers = 33;
  p.cards = {{"CUDA1", 33}};
  const auto line = command_line(p, "/run/x.sock", kCards);
  EXPECT_EQ(after(line, "--n-gpu-layers"), "33");
  EXPECT_EQ(after(line, "--device"), "CUDA1");
  EXPECT_EQ(after(line, "--split-mode"), "none");
  EXPECT_EQ(after(line, "--main-gpu"), "0");
  EXPECT_THAT(line, Not(Contains("--tensor-split")));
  EXPECT_THAT(line, Not(Contains("--no-mmproj-offload")));
}

TEST(CommandLine, SeveralCardsGetTheirNumbersOfLayers) {
  RunPlan p = plan();
  p.cards_counted = true;
  p.gpu_layers = 30;
  p.cards = {{"CUDA0", 20}, {"CUDA2", 10}};
  p.mmproj_path = "/m/mm.gguf";
  const auto line = command_line(p, "/run/x.sock", kCards);
  EXPECT_EQ(after(line, "--device"), "CUDA0,CUDA2");
  EXPECT_EQ(after(line, "--split-mode"), "layer");
  EXPECT_EQ(after(line, "--tensor-split"), "20,10");
  EXPECT_EQ(after(line, "--mmproj-device"), "CUDA0");
  EXPECT_NE(options_key(p), options_key(plan()));
}

TEST(CommandLine, AModelInRamIsKeptOffTheCards) {
  RunPlan p = plan();
  p.cards_counted = true;
  p.gpu_layers = 0;
  p.mmproj_path = "/m/mm.gguf";
  const auto line = command_line(p, "/run/x.sock", kCards);
  EXPECT_EQ(after(line, "--n-gpu-layers"), "0");
  EXPECT_EQ(after(line, "--device"), "none");
  EXPECT_THAT(line, Contains("--no-mmproj-offload"));
}

TEST(CommandLine, ADraftModelIsKeptOffTheCardsThatAreCounted) {
  process::EngineTraits engine = kCards;
  engine.flags.insert({"--device-draft", "--gpu-layers-draft"});
  RunPlan p = plan();
  p.cards_counted = true;
  p.gpu_layers = 33;
  p.cards = {{"CUDA0", 33}};
  EXPECT_THAT(command_line(p, "/run/x.sock", engine), Not(Contains("--device-draft")));
  p.extra = {"--model-draft", "/m/draft.gguf"};
  const auto line = command_line(p, "/run/x.sock", engine);
  EXPECT_EQ(after(line, "--device-draft"), "none");
  EXPECT_EQ(after(line, "--gpu-layers-draft"), "0");
}

TEST(CommandLine, CardsThatAreNotCountedAreLeftToTheEngine) {
  RunPlan p = plan();
  p.gpu_layers = config::GpuLayers::kAll;
  const auto line = command_line(p, "/run/x.sock", kCards);
  EXPECT_EQ(after(line, "--n-gpu-layers"), "999");
  EXPECT_THAT(line, Not(Contains("--device")));
}

TEST(ChildEnvironment, WhatPicturesTookGoesBack) {
  const auto has = [](const std::vector<std::string>& environment) {
    return std::any_of(environment.begin(), environment.end(), [](const std::string& pair) {
      return pair.starts_with("MALLOC_MMAP_THRESHOLD_=");
    });
  };
  RunPlan plan;
  EXPECT_FALSE(has(child_environment(CardOrder::AsItComes, &plan)));
  plan.mmproj_path = "/m/mm.gguf";
  EXPECT_TRUE(has(child_environment(CardOrder::AsItComes, &plan)));
  EXPECT_FALSE(has(child_environment(CardOrder::AsItComes)));
}

}  // namespace
}  // namespace hf::engine
