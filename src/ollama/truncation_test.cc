#include "ollama/truncation.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace hf::ollama {
namespace {

namespace json = boost::json;

std::string body_of(const std::vector<std::string>& texts) {
  json::object body{{"model", "m"}, {"input", json::array(texts.begin(), texts.end())}};
  return json::serialize(body);
}

// An engine whose tokens are bytes, with a mark (1) before each text and one (2) behind it.
std::string tokenized(std::string_view question) {
  const json::value asked = json::parse(question);
  EXPECT_EQ(asked.at("model").as_string(), "m");
  EXPECT_TRUE(asked.at("add_special").as_bool());
  json::array tokens{1};
  for (const char c : asked.at("content").as_string()) {
    tokens.emplace_back(100 + static_cast<unsigned char>(c));
  }
  tokens.emplace_back(2);
  return json::serialize(json::object{{"tokens", std::move(tokens)}});
}

int run(Truncation& truncation) {
  int questions = 0;
  while (const auto question = truncation.question()) {
    EXPECT_TRUE(truncation.take_answer(tokenized(*question)));
    if (++questions > 100) {
      ADD_FAILURE() << "it never ends";
      break;
    }
  }
  return questions;
}

TEST(Truncation, ATextIsCutBetweenItsMarks) {
  Truncation truncation(body_of({"abcdefghijklmnop"}), 6);
  EXPECT_EQ(run(truncation), 2);
  EXPECT_EQ(json::parse(*truncation.mended()),
            json::parse(R"({"model":"m","input":[[1,197,198,199,200,2]],
                            "encoding_format":"float"})"));
}

TEST(Truncation, OthersStayAsTheyAre) {
  Truncation truncation(body_of({"short", std::string(40, 'a'), "also short"}), 20);
  EXPECT_EQ(run(truncation), 2);
  const json::value mended = json::parse(*truncation.mended());
  EXPECT_EQ(mended.at("input").at(0).as_string(), "short");
  EXPECT_EQ(mended.at("input").at(1).as_array().size(), 20U);
  EXPECT_EQ(mended.at("input").at(2).as_string(), "also short");
}

TEST(Truncation, NothingTooLongNothingMended) {
  Truncation none(body_of({"a", "b"}), 100);
  EXPECT_FALSE(none.question());
  EXPECT_FALSE(none.mended());
  Truncation just(body_of({"abcdefgh"}), 10);  // eight letters and two marks
  EXPECT_EQ(run(just), 2);
  EXPECT_FALSE(just.mended());
}

TEST(Truncation, AVeryLongTextIsNotCountedToItsEnd) {
  Truncation truncation(body_of({std::string(10'000, 'a')}), 4);
  EXPECT_TRUE(truncation.take_answer(R"({"tokens":[]})"));
  const json::value question = json::parse(*truncation.question());
  EXPECT_EQ(question.at("content").as_string().size(), 4U * 256U);
}

TEST(Truncation, OfAnAnswerNoMoreIsReadThanIsNeeded) {
  Truncation truncation(body_of({std::string(40, 'a')}), 4);
  EXPECT_TRUE(truncation.take_answer(R"({"tokens":[]})"));
  EXPECT_TRUE(truncation.take_answer(R"({"x":[{"tokens":["a"]}],"tokens":[1,2,3,4,5,"nothing)"));
  EXPECT_EQ(json::parse(*truncation.mended()).at("input"), json::parse("[[1,2,3,4]]"));
}

TEST(Truncation, CharactersStayWhole) {
  std::string text;
  for (int i = 0; i < 2'000; ++i) {
    text += "é";
  }
  Truncation truncation(body_of({"x" + text}), 4);
  EXPECT_TRUE(truncation.take_answer(R"({"tokens":[]})"));
  const json::value question = json::parse(*truncation.question());
  EXPECT_EQ(question.at("content").as_string().size(), 4U * 256U - 1U);
}

TEST(Truncation, StrangeAnswersAreNone) {
  Truncation truncation(body_of({std::string(40, 'a')}), 6);
  for (const char* bad : {"", "[]", "{}", R"({"tokens":5})", R"({"tokens":["a"]})",
                          R"({"tokens":[1)", R"({"tokens":[[1]]})", R"({"x":{"tokens":[1]}})"}) {
    EXPECT_FALSE(truncation.take_answer(bad)) << bad;
  }
  Truncation nonsense("nonsense", 6);
  EXPECT_FALSE(nonsense.question());
  EXPECT_FALSE(nonsense.mended());
}

TEST(Truncation, MarksAreNeverMoreThanThereIsRoom) {
  Truncation truncation(body_of({std::string(40, 'a')}), 1);
  run(truncation);
  EXPECT_EQ(json::parse(*truncation.mended()).at("input").at(0).as_array().size(), 1U);
}

}  // namespace
}  // namespace hf::ollama
