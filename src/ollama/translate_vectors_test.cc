#include "ollama/translate_vectors.h"

#include <gtest/gtest.h>

#include "ollama/testing.h"

namespace hf::ollama {
namespace {

namespace json = boost::json;
using testing::feed;
using testing::parsed;
using testing::TestClock;
using testing::Translated;

AnswerPlan plan(Endpoint endpoint = Endpoint::Embed) {
  AnswerPlan result;
  result.endpoint = endpoint;
  result.source = Source::Vectors;
  result.model = "m";
  result.streams = false;
  return result;
}

Translated translate(const AnswerPlan& plan, std::string_view body, std::size_t piece = 100'000) {
  TestClock clock;
  clock.now = TimePoint(std::chrono::seconds(110));
  const Begun begun{TimePoint(std::chrono::seconds(100)), TimePoint(std::chrono::seconds(104))};
  const auto translator = translate_vectors(plan, begun, clock.clock());
  return feed(*translator, "application/json", body, piece);
}

// As the stock engine sends it.
const std::string kAnswer =
    R"({"model":"m","object":"list","usage":{"prompt_tokens":7,"total_tokens":7},"data":[)"
    R"({"embedding":[0.125,-3,1.5e-05,0],"index":0,"object":"embedding"},)"
    R"({"embedding":[1.0,0.333333343267441,-0.1,2],"index":1,"object":"embedding"}]})";

TEST(Vectors, DigitsArePassedOnAsTheyAre) {
  const Translated answer = translate(plan(), kAnswer);
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.type, "application/json; charset=utf-8");
  EXPECT_EQ(answer.text,
            R"({"model":"m","embeddings":[[0.125,-3,1.5e-05,0],[1.0,0.333333343267441,-0.1,2]],)"
            R"("total_duration":10000000000,"load_duration":4000000000,"prompt_eval_count":7})");
}

TEST(Vectors, CutAnywhereTheyAreTheSame) {
  const std::string whole = translate(plan(), kAnswer).text;
  for (std::size_t piece = 1; piece < kAnswer.size(); ++piece) {
    const Translated answer = translate(plan(), kAnswer, piece);
    EXPECT_TRUE(answer.complete) << piece;
    EXPECT_EQ(answer.text, whole) << piece;
  }
}

TEST(Vectors, OfOnePromptOneVector) {
  EXPECT_EQ(translate(plan(Endpoint::Embeddings), kAnswer, 3).text,
            R"({"embedding":[0.125,-3,1.5e-05,0]})");
}

TEST(Vectors, CutOnesHaveLengthOneAgain) {
  AnswerPlan cut = plan();
  cut.dimensions = 2;
  const json::object object = parsed(
      translate(cut, R"({"data":[{"embedding":[3,4,12],"index":0}],"usage":{"prompt_tokens":1}})",
                1)
          .text);
  EXPECT_DOUBLE_EQ(object.at("embeddings").at(0).at(0).to_number<double>(), 0.6);
  EXPECT_DOUBLE_EQ(object.at("embeddings").at(0).at(1).to_number<double>(), 0.8);
  EXPECT_EQ(object.at("embeddings").at(0).as_array().size(), 2U);
  cut.dimensions = 3;  // as long as it is: left alone
  EXPECT_EQ(parsed(translate(cut, R"({"data":[{"embedding":[3,4,12]}]})").text).at("embeddings"),
            json::parse("[[3,4,12]]"));
}

TEST(Vectors, TheIndexMayComeFirst) {
  EXPECT_TRUE(translate(plan(), R"({"data":[{"index":0,"embedding":[1]},
                                            {"index":1,"embedding":[2]}]})")
                  .complete);
}

TEST(Vectors, WhatIsNotWhatItShouldBeIsBroken) {
  for (const char* bad : {
           "",
           "{}",
           "[]",
           "{\"data\":[]}",
           "{\"data\":[{\"embedding\":[1,2]",
           "{\"data\":[{\"embedding\":[1,2],\"index\":1}]}",
           "{\"data\":[{\"embedding\":\"AAAA\",\"index\":0}]}",
           "{\"data\":[{\"embedding\":[[1],[2]],\"index\":0}]}",
           "{\"data\":[{\"embedding\":[null],\"index\":0}]}",
           "{\"data\":[{\"index\":0},{\"embedding\":[1],\"index\":1}]}",
           "{\"data\":[{\"embedding\":[1],\"index\":0}]} x",
           "{\"error\":{\"message\":\"no\"}}",
       }) {
    for (const std::size_t piece : {1U, 1000U}) {
      EXPECT_FALSE(translate(plan(), bad, piece).complete) << bad;
    }
  }
}

TEST(Vectors, OtherMembersAreSkipped) {
  const Translated answer =
      translate(plan(),
                R"({"extra":{"data":[{"embedding":[9]}]},"list":[[1],[2]],)"
                R"("data":[{"meta":{"embedding":[8]},"embedding":[1],"index":0}],)"
                R"("usage":{"x":{"prompt_tokens":5},"prompt_tokens":2}})",
                2);
  ASSERT_TRUE(answer.complete);
  const json::object object = parsed(answer.text);
  EXPECT_EQ(object.at("embeddings"), json::parse("[[1]]"));
  EXPECT_EQ(object.at("prompt_eval_count").as_int64(), 2);
}

TEST(Vectors, AWarningGoesWithThem) {
  AnswerPlan warned = plan();
  warned.warning = "num_ctx \"x\"";
  EXPECT_EQ(parsed(translate(warned, kAnswer).text).at("warning").as_string(), "num_ctx \"x\"");
}

}  // namespace
}  // namespace hf::ollama
