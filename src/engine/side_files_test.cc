#include "engine/side_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hf::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SideFiles, AreNamedByFlags) {
  const SideFiles files = side_files({"--lora", "/a.gguf,/b.gguf", "--lora_scaled",
                                      "/c.gguf:0.5,/d.gguf:2", "--control-vector", "/v.gguf", "-md",
                                      "/old.gguf", "--spec-draft-model", "/draft.gguf", "--lora"});
  EXPECT_THAT(files.adapters, ElementsAre("/a.gguf", "/b.gguf", "/c.gguf", "/d.gguf", "/v.gguf"));
  EXPECT_EQ(files.draft, "/draft.gguf");
}

TEST(SideFiles, OtherFlagsNameNone) {
  const SideFiles files = side_files({"--threads", "4", "-fa", "on"});
  EXPECT_THAT(files.adapters, IsEmpty());
  EXPECT_FALSE(files.draft.has_value());
}

}  // namespace
}  // namespace hf::engine
