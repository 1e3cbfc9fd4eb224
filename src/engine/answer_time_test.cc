#include "engine/answer_time.h"

#include <gtest/gtest.h>

namespace hf::engine {
namespace {

using namespace std::chrono_literals;

AnswerFacts chat(int context, std::int64_t gib) {
  AnswerFacts facts;
  facts.context = context;
  facts.weights = gib * kGiB;
  return facts;
}

TEST(AnswerTime, IsTheContextByTheSlowestSpeeds) {
  AnswerFacts facts = chat(8000, 4);
  facts.decode = 10;
  facts.prefill = 100;
  const auto time = answer_time(facts, {});
  ASSERT_TRUE(time);
  EXPECT_EQ(time->longest, 880s);
  EXPECT_TRUE(time->measured);
}

TEST(AnswerTime, IsUnknownWhileNothingWasMeasured) {
  EXPECT_FALSE(answer_time(chat(8000, 4), {}));
  AnswerFacts half = chat(8000, 4);
  half.prefill = 100;
  EXPECT_FALSE(answer_time(half, {}));
}

TEST(AnswerTime, OfAModelThatWasNeverUsedIsEstimatedFromOthers) {
  const SpeedSamples samples{{{2 * kGiB, 40}}, {{2 * kGiB, 800}}};
  const auto time = answer_time(chat(8000, 8), samples);
  ASSERT_TRUE(time);
  // A quarter of the speed, halved: 5 and 100 tokens/s.
  EXPECT_EQ(time->longest, 1680s);
  EXPECT_FALSE(time->measured);
}

TEST(AnswerTime, WhatWasMeasuredGoesBeforeWhatIsEstimated) {
  const SpeedSamples samples{{{2 * kGiB, 40}}, {{2 * kGiB, 800}}};
  AnswerFacts facts = chat(8000, 8);
  facts.decode = 8;
  const auto time = answer_time(facts, samples);
  ASSERT_TRUE(time);
  EXPECT_EQ(time->longest, 1080s);
  EXPECT_FALSE(time->measured) << "its prefill is an estimate";
}

TEST(AnswerTime, OfAnEmbeddingModelIsItsPrompt) {
  AnswerFacts facts = chat(512, 1);
  facts.decodes = false;
  facts.prefill = 256;
  const auto time = answer_time(facts, {});
  ASSERT_TRUE(time);
  EXPECT_EQ(time->longest, 2s);
  EXPECT_TRUE(time->measured);
}

TEST(AnswerTime, NeverOverflows) {
  AnswerFacts facts = chat(1 << 30, 4);
  facts.decode = 1e-300;
  facts.prefill = 1;
  EXPECT_EQ(answer_time(facts, {})->longest, std::chrono::hours(24 * 365));
}

TEST(EstimatedSpeed, TheSlowestProductCounts) {
  const std::vector<SpeedSample> samples{{4 * kGiB, 30}, {1 * kGiB, 60}};
  EXPECT_DOUBLE_EQ(*estimated_speed(samples, 2 * kGiB), 15);
}

TEST(EstimatedSpeed, SmallModelsSayLittleAboutLargeOnes) {
  // 457 KB at 1,000 tokens/s would give a 40 GiB model one token in three minutes.
  const std::vector<SpeedSample> samples{{457 * kKiB, 1000}, {8 * kGiB, 5}};
  EXPECT_DOUBLE_EQ(*estimated_speed(samples, 40 * kGiB), 0.5);
  const std::vector<SpeedSample> small{{457 * kKiB, 1000}, {1 * kGiB, 40}};
  EXPECT_DOUBLE_EQ(*estimated_speed(small, 40 * kGiB), 0.5) << "the largest is the best witness";
}

TEST(EstimatedSpeed, NeedsASampleThatMeansSomething) {
  EXPECT_FALSE(estimated_speed({}, kGiB));
  const std::vector<SpeedSample> nonsense{{Bytes(0), 5}, {kGiB, 0}};
  EXPECT_FALSE(estimated_speed(nonsense, kGiB));
  const std::vector<SpeedSample> one{{kGiB, 5}};
  EXPECT_TRUE(estimated_speed(one, Bytes(0)));
}

TEST(IsNews, OnlyWhatMovesByMoreThanOnePercent) {
  EXPECT_FALSE(is_news(std::nullopt, std::nullopt));
  EXPECT_TRUE(is_news(std::nullopt, 10s));
  EXPECT_FALSE(is_news(1000s, 1010s));
  EXPECT_TRUE(is_news(1000s, 1011s));
  EXPECT_TRUE(is_news(1000s, 900s));
  EXPECT_FALSE(is_news(1000s, std::nullopt)) << "what was known stays";
}

TEST(AnswerTime, OfAModelWithShortPromptsOnlyTakesItsDecodeSpeedForBoth) {
  AnswerFacts facts;
  facts.context = 1000;
  facts.weights = kGiB;
  facts.decodes = true;
  facts.decode = 10;
  const auto time = answer_time(facts, {});
  ASSERT_TRUE(time);
  EXPECT_EQ(time->longest, std::chrono::seconds(200));
  EXPECT_FALSE(time->measured);
}

}  // namespace
}  // namespace hf::engine
