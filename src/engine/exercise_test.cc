#include "engine/exercise.h"

#include <gtest/gtest.h>

#include <string>

namespace hf::engine {
namespace {

RunPlan plan(int parallel = 2, Bytes cache = Bytes(0)) {
  RunPlan p;
  p.context = 4096;
  p.parallel = parallel;
  p.cache_ram = cache;
  return p;
}
std::string prompt(int tokens) {
  return "0.03.726.166 I slot print_timing: id  1 | task 0 | prompt eval time =  300.24 ms /  " +
         std::to_string(tokens) + " tokens (";
}
std::string ended(int slot, int tokens) {
  return "0.05.580.870 I slot      release: id  " + std::to_string(slot) +
         " | task 82 | stop processing: n_tokens = " + std::to_string(tokens) + ", truncated = 0";
}

TEST(Exercise, EverySlotMustHaveBeenFullOnce) {
  Exercise exercise(plan());
  exercise.read(prompt(3600));
  exercise.read(ended(0, 3600));
  exercise.read(ended(1, 3000));
  EXPECT_FALSE(exercise.complete());
  exercise.read(ended(1, 3584));
  EXPECT_TRUE(exercise.complete());
}

TEST(Exercise, AFullBatchMustHaveRun) {
  Exercise exercise(plan(1));
  exercise.read(prompt(511));  // the rest of the context is a long answer
  exercise.read(ended(0, 4095));
  EXPECT_FALSE(exercise.complete());
  exercise.read(prompt(512));
  EXPECT_TRUE(exercise.complete());
}

TEST(Exercise, ThePromptCacheMustHaveRunOver) {
  Exercise exercise(plan(1, 64 * kMiB));
  exercise.read(prompt(4000));
  exercise.read(ended(0, 4095));
  EXPECT_FALSE(exercise.complete());
  exercise.read(
      "0.01.000.000 W srv         alloc:  - making room for prompt cache entry, removing oldest "
      "entry (size = 20.010 MiB)");
  EXPECT_TRUE(exercise.complete());
}

TEST(Exercise, ACacheThatHoldsNoWholePromptIsAsFullAsItGets) {
  Exercise exercise(plan(1, 64 * kMiB));
  exercise.read(prompt(4000));
  exercise.read(ended(0, 4095));
  exercise.read(
      "0.01.000.000 W srv         alloc:  - prompt state size 80.000 MiB exceeds cache size limit "
      "64.000 MiB, skipping");
  EXPECT_TRUE(exercise.complete());
}

TEST(Exercise, EmbeddingModelsAreFullWithOneBatchASlot) {
  RunPlan p = plan(1, 64 * kMiB);
  p.kind = ModelKind::Embedding;
  p.cache_ram = Bytes(0);
  Exercise exercise(p);
  exercise.read(ended(0, 300));
  EXPECT_FALSE(exercise.complete());
  exercise.read(ended(0, 500));
  EXPECT_TRUE(exercise.complete());
}

TEST(Exercise, TextSaysNothingAboutImagesAndReservedEmbeddings) {
  RunPlan images = plan(1);
  images.mmproj_path = "/m/mmproj-a.gguf";
  RunPlan embeddings = plan(1);
  embeddings.embeddings_reserved = true;
  for (const RunPlan& p : {images, embeddings}) {
    Exercise exercise(p);
    exercise.read(prompt(4000));
    exercise.read(ended(0, 4095));
    EXPECT_FALSE(exercise.complete());
  }
}

TEST(Exercise, SlotsThatCannotBeAreIgnored) {
  Exercise exercise(plan(1));
  exercise.read(prompt(4000));
  exercise.read(ended(7, 4095));
  exercise.read("slot release: id  0 | task 1 | stop processing");
  EXPECT_FALSE(exercise.complete());
}

TEST(ChargeFor, WhatWasSeenUnlessEmbeddingsWereAskedForToo) {
  store::Measurement known;
  known.high_water = Bytes(1'000);
  known.fully_exercised = true;
  RunPlan p = plan();
  EXPECT_EQ(charge_for(p, known, Bytes(2'000)), Bytes(1'030));
  p.embeddings_reserved = true;  // filled with chats alone
  EXPECT_EQ(charge_for(p, known, Bytes(2'000)), Bytes(2'000));
  EXPECT_EQ(charge_for(p, known, Bytes(900)), Bytes(1'030));
  p.kind = ModelKind::Embedding;  // nothing else is asked of it
  EXPECT_EQ(charge_for(p, known, Bytes(2'000)), Bytes(1'030));
}

}  // namespace
}  // namespace hf::engine
