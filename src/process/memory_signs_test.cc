#include "process/memory_signs.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace hf::process {
namespace {

TEST(MemorySigns, KnowsTheWordsOfFailedAllocations) {
  EXPECT_TRUE(
      says_out_of_memory("ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate 9"));
  EXPECT_TRUE(says_out_of_memory("CUDA error: Out Of Memory"));
  EXPECT_TRUE(says_out_of_memory("vk::Device::allocateMemory: ErrorOutOfDeviceMemory"));
  EXPECT_TRUE(says_out_of_memory("  what():  std::bad_alloc"));
  EXPECT_FALSE(says_out_of_memory("srv load_model: loading model 'memory.gguf'"));
  EXPECT_FALSE(says_out_of_memory(""));
}

TEST(MemorySigns, ReadsTheKernelsCount) {
  EXPECT_EQ(parse_oom_kills("pgfault 1\noom_kill 12\ndrop_pagecache 0\n"), 12U);
  EXPECT_EQ(parse_oom_kills("oom_kill 0"), 0U);
  EXPECT_EQ(parse_oom_kills("pgfault 1\nnot_oom_kill 3\n"), std::nullopt);
  EXPECT_EQ(parse_oom_kills("oom_kill many\n"), std::nullopt);
  EXPECT_EQ(parse_oom_kills("oom_kill 99999999999999999999999\n"), std::nullopt);
  EXPECT_EQ(parse_oom_kills(""), std::nullopt);
  EXPECT_TRUE(read_oom_kills().has_value());
}

TEST(OomScore, RaisesAndNamesAMissingProcess) {
  // Of this very process, and never lowered: a test must not need a right for it.
  EXPECT_TRUE(set_oom_score(::getpid(), 500).has_value());
  std::ifstream file("/proc/self/oom_score_adj");
  int score = 0;
  file >> score;
  EXPECT_EQ(score, 500);
  const Status missing = set_oom_score(0x3fffffff, 100);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, Errc::NotFound);
}

}  // namespace
}  // namespace hf::process
