#include "config/engine_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hf::config {
namespace {

using ::testing::HasSubstr;

TEST(WhyRefused, NamesTheSettingToUseInstead) {
  EXPECT_THAT(*why_refused("--ctx-size"), HasSubstr("`context`"));
  EXPECT_THAT(*why_refused("-np"), HasSubstr("`parallel`"));
  EXPECT_THAT(*why_refused("--alias"), HasSubstr("`aliases`"));
  EXPECT_THAT(*why_refused("--cache-ram"), HasSubstr("`cache_ram`"));
}

TEST(WhyRefused, CatchesEveryDangerousFlag) {
  for (const char* flag : {"--host",
                           "--port",
                           "-c",
                           "--parallel",
                           "--alias",
                           "-a",
                           "--tools",
                           "--mcp-servers-config",
                           "--mcp-anything",
                           "--props",
                           "--slots",
                           "--slot-save-path",
                           "--model",
                           "-m",
                           "-hf",
                           "--model-url",
                           "--api-key",
                           "--models-dir",
                           "--agent",
                           "--fit",
                           "--kv-unified",
                           "-ngl",
                           "--no-mmap",
                           "--mmproj",
                           "--help",
                           "--version",
                           "--gpt-oss-20b-default",
                           "--fim-qwen-7b-spec",
                           "--sleep-idle-seconds",
                           "--path"}) {
    EXPECT_TRUE(why_refused(flag).has_value()) << flag;
  }
}

TEST(WhyRefused, CatchesWhatMovesBytesBehindTheLedgersBack) {
  for (const char* flag : {"-nkvo",
                           "--no-kv-offload",
                           "-ot",
                           "--override-tensor",
                           "-cmoe",
                           "--cpu-moe",
                           "-ncmoe",
                           "--n-cpu-moe",
                           "-ncffn",
                           "--n-cpu-ffn",
                           "--no-mmproj-offload",
                           "--mmproj-offload",
                           "--rpc",
                           "--override-kv",
                           "-ngld",
                           "--gpu-layers-draft",
                           "--n-gpu-layers-draft",
                           "--spec-draft-ngl",
                           "-devd",
                           "--device-draft",
                           "--spec-draft-device",
                           "-otd",
                           "--override-tensor-draft",
                           "-cmoed",
                           "--cpu-moe-draft",
                           "-ncmoed",
                           "--spec-draft-ncmoe",
                           "-ctkd",
                           "--cache-type-v-draft",
                           "--spec-draft-type-k",
                           "--override_tensor=a=CPU"}) {
    EXPECT_THAT(why_refused(flag).value_or(""), HasSubstr("memory ledger")) << flag;
  }
  EXPECT_THAT(*why_refused("--cpu-moe"), HasSubstr("`gpu_layers`"));
}

TEST(WhyRefused, SeesThroughOtherSpellings) {
  EXPECT_TRUE(why_refused("--ctx_size").has_value());
  EXPECT_TRUE(why_refused("--host=0.0.0.0").has_value());
  EXPECT_TRUE(why_refused("--slot_save_path=/tmp").has_value());
}

TEST(WhyRefused, LetsOtherFlagsAndValuesPass) {
  for (const char* arg : {"--threads", "-t", "8", "--flash-attn", "on", "--temp", "-1",
                          "--chat-template-file", "host", "--jinja", "--model-draft", "--repack"}) {
    EXPECT_FALSE(why_refused(arg).has_value()) << arg;
  }
}

}  // namespace
}  // namespace hf::config
