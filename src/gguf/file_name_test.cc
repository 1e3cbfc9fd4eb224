#include "gguf/file_name.h"

#include <gtest/gtest.h>

namespace hf::gguf {
namespace {

TEST(FileName, PartsOfASplitModel) {
  const auto part = split_name("sub/a-00002-of-00010.gguf");
  ASSERT_TRUE(part);
  EXPECT_EQ(part->stem, "sub/a");
  EXPECT_EQ(part->number, 2);
  EXPECT_EQ(part->count, 10);
  EXPECT_EQ(name_of_part(*part), "sub/a-00002-of-00010.gguf");
  EXPECT_EQ(split_name("a-00001-of-00001")->stem, "a");
  EXPECT_EQ(split_name("a-00002-of-00003-00001-of-00002")->stem, "a-00002-of-00003");
}

TEST(FileName, WhatCannotBeAPartIsNone) {
  for (const char* name :
       {"", ".gguf", "a.gguf", "00001-of-00002.gguf", "-00001-of-00002.gguf",
        "a-00000-of-00002.gguf", "a-00003-of-00002.gguf", "a-0001-of-00002.gguf",
        "a-00001-of-0002.gguf", "a-00001-of-000002.gguf", "a-00001of-00002.gguf",
        "a--0001-of-00002.gguf", "a-+0001-of-00002.gguf", "a-00001-of-00002.bin"}) {
    EXPECT_FALSE(split_name(name)) << name;
  }
  EXPECT_FALSE(split_name(std::string(1'000'000, 'a')));
}

TEST(FileName, ProjectorsAreNamedAtTheBeginningOfAWord) {
  for (const char* name : {"mmproj-a.gguf", "sub/MMPROJ-a.gguf", "a-mmproj-f16.gguf",
                           "a.mmproj.gguf", "a_mmproj_f16.gguf", "mmproj.gguf", "xmmproj-mmproj"}) {
    EXPECT_TRUE(is_projector_name(name)) << name;
  }
  for (const char* name : {"a.gguf", "xmmproj.gguf", "mmproj/a.gguf", "mm-proj.gguf", ""}) {
    EXPECT_FALSE(is_projector_name(name)) << name;
  }
}

}  // namespace
}  // namespace hf::gguf
