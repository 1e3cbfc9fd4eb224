#include "engine/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(CommandLine, ChatModelsServeEmbeddingsToo) {
  const auto line = command_line(plan(), "/run/x.sock", kNew);
  EXPECT_THAT(line, IsSupersetOf({"--embeddings", "--pooling", "mean"}));
}

TEST(CommandLine, EmbeddingModelsKeepTheirOwnPooling) {
  RunPlan p = plan();
  p.kind = ModelKind::Embedding;
  EXPECT_THAT(command_line(p, "/run/x.sock", kNew), Not(Contains("--pooling")));
}

TEST(CommandLine, OldEnginesGetTheOldLoadSwitch) {
  RunPlan p = plan();
  p.load_mode = config::LoadMode::None;
  EXPECT_THAT(command_line(p, "/run/x.sock", traits({"--no-mmap"})), Contains("--no-mmap"));
  EXPECT_THAT(command_line(p, "/run/x.sock", kNew), Not(Contains("--no-mmap")));
}

}  // namespace
}  // namespace hf::engine
