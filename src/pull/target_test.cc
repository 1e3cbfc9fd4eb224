#include "pull/target.h"

#include <gtest/gtest.h>

namespace hf::pull {
namespace {

TEST(PullTarget, TheNameIsTheFilesUnlessOneIsWished) {
  EXPECT_EQ(checked_name("", "sub/a-Q4_0.gguf").value(), "a-Q4_0");
  EXPECT_EQ(checked_name("", "sub/a-00001-of-00003.gguf").value(), "a");
  EXPECT_EQ(checked_name("org/b.gguf", "x.gguf").value(), "org/b");
  EXPECT_EQ(checked_name("qwen:latest", "x.gguf").value(), "qwen");
  EXPECT_EQ(checked_name("qwen:7b", "x.gguf").value(), "qwen:7b");
}

TEST(PullTarget, NamesThatLeaveTheFolderOrHideAreRefused) {
  for (const char* name :
       {"../a", "a/../../b", "/a", "a/", "a//b", ".", "..", "a b", "a,b", "a\"b", "a\\b", "a\tb",
        "a\xff", "mmproj-a", "x/mmproj", "a-mmproj-f16", "a-00001-of-00002"}) {
    EXPECT_FALSE(checked_name(name, "x.gguf")) << name;
  }
  EXPECT_FALSE(checked_name(std::string(201, 'a'), "x.gguf"));
  EXPECT_FALSE(checked_name("", "..gguf"));
}

TEST(PullTarget, FilesStandWhereTheServerLooks) {
  EXPECT_EQ(part_path("org/a", 1, 1), "org/a.gguf");
  EXPECT_EQ(part_path("a", 2, 12), "a-00002-of-00012.gguf");
  EXPECT_EQ(projector_path("org/a.gguf"), "org/mmproj-a.gguf");
  EXPECT_EQ(projector_path("a.b.gguf"), "mmproj-a.b.gguf");
  EXPECT_EQ(served_name("org/a.b.gguf"), "org/a.b");
}

}  // namespace
}  // namespace hf::pull
