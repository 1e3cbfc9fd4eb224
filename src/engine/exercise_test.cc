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

TEST(Exercise, ACacheThatHoldsNoWholePromptMayStillBeFilledByShorterOnes) {
  Exercise exercise(plan(1, 64 * kMiB));
  exercise.read(prompt(4000));
  exercise.read(ended(0, 4095));
  exercise.read(
      "0.01.000.000 W srv         alloc:  - prompt state size 80.000 MiB exceeds cache size limit "
      "64.000 MiB, skipping");
  EXPECT_FALSE(exercise.complete());
  exercise.read(
      "0.02.000.000 W srv         alloc:  - making room for prompt cache entry, removing oldest "
      "entry (size = 20.010 MiB)");
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

gguf::Cost cost(Bytes weights, Bytes kv_cache, Bytes rest) {
  gguf::Cost c;
  c.weights = weights;
  c.kv_cache = kv_cache;
  c.compute = rest;
  return c;
}
store::Measurement full_at(Bytes mark) {
  store::Measurement known;
  known.high_water = mark;
  known.fully_exercised = true;
  return known;
}
// 2 % of 40 MB of heap, and 90 bytes for each of 8,192 tokens.
TEST(ChargeFor, WhatWasSeenUnlessEmbeddingsWereAskedForToo) {
  const store::Measurement known = full_at(Bytes(100'000'000));
  const gguf::Cost larger = cost(Bytes(50'000'000), Bytes(10'000'000), Bytes(140'000'000));
  RunPlan p = plan();
  EXPECT_EQ(charge_for(p, known, larger), Bytes(101'537'280));
  p.embeddings_reserved = true;  // filled with chats alone
  EXPECT_EQ(charge_for(p, known, larger), Bytes(200'000'000));
  const gguf::Cost smaller = cost(Bytes(50'000'000), Bytes(10'000'000), Bytes(0));
  EXPECT_EQ(charge_for(p, known, smaller), Bytes(101'537'280));
  p.kind = ModelKind::Embedding;  // nothing else is asked of it
  EXPECT_EQ(charge_for(p, known, larger), Bytes(101'537'280));
}

TEST(ChargeFor, ThePredictionUntilAChildWasUsedToTheFull) {
  store::Measurement known = full_at(Bytes(100'000'000));
  known.fully_exercised = false;
  EXPECT_EQ(charge_for(plan(), known, cost(Bytes(200'000'000), Bytes(0), Bytes(0))),
            Bytes(200'000'000));
  EXPECT_EQ(charge_for(plan(), known, cost(Bytes(90'000'000), Bytes(0), Bytes(0))),
            Bytes(100'000'000));
}

TEST(ChargeFor, CoversPromptsThatComeAsText) {
  // Two slots of 4096 tokens, 90 bytes each, are more than the hundredth that is left.
  EXPECT_EQ(charge_for(plan(), full_at(Bytes(40'000'000)), gguf::Cost{}),
            Bytes(40'800'000 + 737'280));
}

TEST(ChargeFor, StaysCloseToWhatWasSeenWhereContextsAreLong) {
  // 8,192 tokens would be 7 % of so little.
  EXPECT_EQ(charge_for(plan(), full_at(Bytes(10'000'000)), gguf::Cost{}), Bytes(10'400'000));
}

TEST(ChargeFor, TakesNothingOnTopForWeightsAndCache) {
  const gguf::Cost parts = cost(Bytes(40'000'000'000), Bytes(4'000'000'000), Bytes(0));
  EXPECT_EQ(charge_for(plan(), full_at(Bytes(45'000'000'000)), parts), Bytes(45'030'000'000));
}

TEST(ChargeFor, NeverLessThanWeightsAndCache) {
  // Most of the file had been reclaimed before the first reading.
  const gguf::Cost parts = cost(Bytes(500'000'000), Bytes(70'000'000), Bytes(80'000'000));
  EXPECT_EQ(charge_for(plan(), full_at(Bytes(300'000'000)), parts), Bytes(570'000'000));
}

TEST(ChargeFor, NeverLessThanPredictedWhereACardMayBeUsed) {
  const store::Measurement known = full_at(Bytes(100'000'000));
  const gguf::Cost parts = cost(Bytes(50'000'000), Bytes(10'000'000), Bytes(140'000'000));
  RunPlan counted = plan();
  counted.cards_counted = true;
  EXPECT_EQ(charge_for(counted, known, parts), Bytes(101'537'280));
  counted.gpu_layers = 4;
  counted.cards = {{"CUDA0", 4}};
  EXPECT_EQ(charge_for(counted, known, parts), Bytes(200'000'000));
  RunPlan uncounted = plan();
  uncounted.gpu_layers = 4;
  EXPECT_EQ(charge_for(uncounted, known, parts), Bytes(200'000'000));
}

}  // namespace
}  // namespace hf::engine
