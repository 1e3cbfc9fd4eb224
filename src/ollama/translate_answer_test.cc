#include "ollama/translate_answer.h"

#include <gtest/gtest.h>

#include "ollama/testing.h"
#include "ollama/timestamp.h"

namespace hf::ollama {
namespace {

namespace json = boost::json;
using testing::feed;
using testing::parsed;
using testing::TestClock;
using testing::Translated;

constexpr const char* kEvents = "text/event-stream";
constexpr const char* kJson = "application/json; charset=utf-8";

// As the stock engine sends it.
std::string chat_chunk(const std::string& delta, const std::string& finish = "null") {
  return R"(data: {"choices":[{"finish_reason":)" + finish + R"(,"index":0,"delta":)" + delta +
         R"(}],"created":1,"id":"x","model":"m","object":"chat.completion.chunk"})" + "\n\n";
}

const std::string kUsage =
    "data: {\"choices\":[],\"usage\":{\"completion_tokens\":3,\"prompt_tokens\":12,"
    "\"total_tokens\":15,\"prompt_tokens_details\":{\"cached_tokens\":8}},"
    "\"timings\":{\"cache_n\":8,\"prompt_n\":4,\"prompt_ms\":20.5,\"predicted_n\":3,"
    "\"predicted_ms\":30.25}}\n\n";
const std::string kDone = "data: [DONE]\n\n";

AnswerPlan plan(Endpoint endpoint, Source source, bool streams) {
  AnswerPlan result;
  result.endpoint = endpoint;
  result.source = source;
  result.model = "m:latest";
  result.streams = streams;
  return result;
}

Translated translate(const AnswerPlan& plan, std::string_view type, std::string_view body,
                     std::size_t piece = 1'000'000) {
  TestClock clock;
  clock.now = TimePoint(std::chrono::seconds(110));
  const Begun begun{TimePoint(std::chrono::seconds(100)), TimePoint(std::chrono::seconds(104))};
  std::string error;
  const auto translator = translate_answer(plan, begun, clock.clock(),
                                           [&error](std::string_view words) { error = words; });
  Translated result = feed(*translator, type, body, piece);
  result.error = std::move(error);
  return result;
}

const AnswerPlan kChatStream = plan(Endpoint::Chat, Source::Chat, true);
const std::string kChat =
    chat_chunk(R"({"role":"assistant","content":null})") +
    chat_chunk(R"({"reasoning_content":"Hm."})") + chat_chunk(R"({"content":"He"})") +
    chat_chunk(R"({"content":"llo \u00e9\n"})") + chat_chunk("{}", "\"stop\"") + kUsage + kDone;

TEST(ChatAnswer, EachPieceIsALine) {
  const Translated answer = translate(kChatStream, kEvents, kChat);
  EXPECT_EQ(answer.type, "application/x-ndjson");
  ASSERT_TRUE(answer.complete);
  const auto lines = answer.lines();
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(json::value(lines[0]), json::parse(R"({"model":"m:latest",
      "created_at":")" + std::string(testing::kWallText) +
                                               R"(",
      "message":{"role":"assistant","content":"","thinking":"Hm."},"done":false})"));
  EXPECT_EQ(lines[1].at("message"), json::parse(R"({"role":"assistant","content":"He"})"));
  EXPECT_EQ(lines[2].at("message").at("content").as_string(), "llo \u00e9\n");
  EXPECT_EQ(json::value(lines[3]), json::parse(R"({"model":"m:latest",
      "created_at":")" + std::string(testing::kWallText) +
                                               R"(",
      "message":{"role":"assistant","content":""},"done":true,"done_reason":"stop",
      "total_duration":10000000000,"load_duration":4000000000,
      "prompt_eval_count":12,"prompt_eval_duration":20500000,
      "eval_count":3,"eval_duration":30250000})"));
}

TEST(ChatAnswer, CutAnywhereItIsTheSame) {
  const std::string whole = translate(kChatStream, kEvents, kChat).text;
  for (std::size_t piece = 1; piece < kChat.size(); ++piece) {
    EXPECT_EQ(translate(kChatStream, kEvents, kChat, piece).text, whole) << piece;
  }
}

TEST(ChatAnswer, LineEndsOfTheOtherKindAreTheSame) {
  std::string other;
  for (const char c : kChat) {
    other += c == '\n' ? "\r\n" : std::string(1, c);
  }
  EXPECT_EQ(translate(kChatStream, kEvents, other, 7).text,
            translate(kChatStream, kEvents, kChat).text);
}

TEST(ChatAnswer, WithoutAStreamItIsOneObject) {
  const Translated answer = translate(plan(Endpoint::Chat, Source::Chat, false), kJson, R"({
      "choices":[{"finish_reason":"length","index":0,"message":{"role":"assistant",
      "content":"Hello","reasoning_content":"Hm."}}],
      "usage":{"completion_tokens":3,"prompt_tokens":12},
      "timings":{"prompt_ms":20.5,"predicted_ms":30.25}})",
                                      3);
  EXPECT_EQ(answer.type, "application/json; charset=utf-8");
  ASSERT_TRUE(answer.complete);
  const json::object object = parsed(answer.text);
  EXPECT_EQ(object.at("message"),
            json::parse(R"({"role":"assistant","content":"Hello","thinking":"Hm."})"));
  EXPECT_TRUE(object.at("done").as_bool());
  EXPECT_EQ(object.at("done_reason").as_string(), "length");
  EXPECT_EQ(object.at("eval_count").as_int64(), 3);
}

TEST(ChatAnswer, ToolCallsComeOnceAndWhole) {
  const std::string body =
      chat_chunk(R"({"role":"assistant","content":null})") +
      chat_chunk(R"({"tool_calls":[{"index":0,"id":"a","type":"function",)"
                 R"("function":{"name":"f","arguments":"{\"ci"}}]})") +
      chat_chunk(R"({"tool_calls":[{"index":0,"function":{"arguments":"ty\":\"Oslo\"}"}}]})") +
      chat_chunk("{}", "\"tool_calls\"") + kUsage + kDone;
  const auto lines = translate(kChatStream, kEvents, body, 5).lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].at("message"), json::parse(R"({"role":"assistant","content":"",
      "tool_calls":[{"id":"a","function":{"index":0,"name":"f","arguments":{"city":"Oslo"}}}]})"));
  EXPECT_FALSE(lines[0].at("done").as_bool());
  EXPECT_EQ(lines[1].at("done_reason").as_string(), "stop");
  EXPECT_FALSE(lines[1].at("message").as_object().contains("tool_calls"));
}

TEST(ChatAnswer, ToolCallsOfAWholeAnswer) {
  const Translated answer = translate(plan(Endpoint::Chat, Source::Chat, false), kJson, R"({
      "choices":[{"finish_reason":"tool_calls","message":{"role":"assistant","content":null,
      "tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}}]})");
  const json::object object = parsed(answer.text);
  EXPECT_EQ(object.at("message").at("tool_calls"),
            json::parse(R"([{"id":"a","function":{"index":0,"name":"f","arguments":{}}}])"));
  EXPECT_EQ(object.at("done_reason").as_string(), "stop");
}

TEST(ChatAnswer, ACallCutByTheLimitIsLeftOutAndSaid) {
  const Translated answer = translate(plan(Endpoint::Chat, Source::Chat, false), kJson, R"({
      "choices":[{"finish_reason":"length","message":{"role":"assistant","content":"",
      "tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"ci"}}]}}]})");
  const json::object object = parsed(answer.text);
  EXPECT_FALSE(object.at("message").as_object().contains("tool_calls"));
  EXPECT_EQ(object.at("warning").as_string(), "a tool call was cut off and left out");
}

TEST(ChatAnswer, LogprobsAreOllamas) {
  AnswerPlan with = kChatStream;
  with.logprobs = true;
  with.top_logprobs = 1;
  const std::string body =
      R"(data: {"choices":[{"finish_reason":null,"delta":{"content":"a"},"logprobs":{"content":[)"
      R"({"id":5,"token":"a","bytes":[97],"logprob":-0.5,"top_logprobs":[)"
      R"({"id":5,"token":"a","bytes":[97],"logprob":-0.5}]}]}}]})"
      "\n\n" +
      chat_chunk("{}", "\"stop\"") + kDone;
  const auto lines = translate(with, kEvents, body).lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].at("logprobs"), json::parse(R"([{"token":"a","logprob":-0.5,"bytes":[97],
      "top_logprobs":[{"token":"a","logprob":-0.5,"bytes":[97]}]}])"));
  with.top_logprobs = 0;
  EXPECT_FALSE(translate(with, kEvents, body)
                   .lines()[0]
                   .at("logprobs")
                   .at(0)
                   .as_object()
                   .contains("top_logprobs"));
}

TEST(ChatAnswer, SignsOfLifeAreEmptyLines) {
  const std::string body = ":\n\n" + kChat;
  const auto lines = translate(kChatStream, kEvents, body, 3).lines();
  ASSERT_EQ(lines.size(), 5U);
  EXPECT_EQ(lines[0].at("message"), json::parse(R"({"role":"assistant","content":""})"));
  EXPECT_FALSE(lines[0].at("done").as_bool());
  AnswerPlan silent = kChatStream;
  silent.heartbeats = false;
  EXPECT_EQ(translate(silent, kEvents, body).lines().size(), 4U);
}

TEST(ChatAnswer, WarningsComeAtTheEnd) {
  AnswerPlan warned = kChatStream;
  warned.warning = "num_ctx is not applied";
  const auto lines = translate(warned, kEvents, kChat).lines();
  EXPECT_FALSE(lines[0].contains("warning"));
  EXPECT_EQ(lines[3].at("warning").as_string(), "num_ctx is not applied");
}

TEST(ChatAnswer, AnEnginesErrorBreaksIt) {
  const std::string body = chat_chunk(R"({"content":"He"})") +
                           "data: {\"error\":{\"code\":500,\"message\":\"Boom\"}}\n\n";
  const Translated answer = translate(kChatStream, kEvents, body);
  EXPECT_FALSE(answer.complete);
  EXPECT_EQ(answer.lines().size(), 1U);
  EXPECT_EQ(answer.error, "{\"error\":{\"code\":500,\"message\":\"Boom\"}}");
}

TEST(ChatAnswer, HasFailedWithTheEventThatSaysSo) {
  TestClock clock;
  const auto translator = translate_answer(kChatStream, Begun{}, clock.clock(), [](auto) {});
  translator->content_type(200, kEvents);
  translator->translate(chat_chunk(R"({"content":"He"})"));
  EXPECT_FALSE(translator->failed());
  translator->translate("data: {\"error\":{\"message\":\"Boom\"}}\n");
  EXPECT_FALSE(translator->failed());
  EXPECT_EQ(translator->translate("\n"), "");
  EXPECT_TRUE(translator->failed());
}

TEST(ChatAnswer, WhatEndsTooEarlyIsBroken) {
  const std::string head = chat_chunk(R"({"content":"He"})");
  EXPECT_FALSE(translate(kChatStream, kEvents, head).complete);
  EXPECT_FALSE(translate(kChatStream, kEvents, "").complete);
  EXPECT_FALSE(translate(kChatStream, kEvents, head + kDone).complete);
  EXPECT_FALSE(translate(kChatStream, kEvents, kChat + "data: {\"x\"").complete);
  EXPECT_FALSE(translate(kChatStream, kEvents, "data: {broken\n\n").complete);
  EXPECT_FALSE(translate(plan(Endpoint::Chat, Source::Chat, false), kJson, "{\"a\":").complete);
  EXPECT_FALSE(translate(plan(Endpoint::Chat, Source::Chat, false), kJson, "[]").complete);
  EXPECT_FALSE(translate(plan(Endpoint::Chat, Source::Chat, false), kJson, "").complete);
}

TEST(ChatAnswer, OneObjectInPlaceOfAStreamStillComesInLines) {
  const auto lines = translate(kChatStream, "application/json",
                               R"({"choices":[{"finish_reason":"stop",
                                   "message":{"content":"Hello"}}]})")
                         .lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].at("message").at("content").as_string(), "Hello");
  EXPECT_EQ(lines[1].at("message").at("content").as_string(), "");
  // Nothing told the times: the clock did. 4 s to the grant, 6 s from there to the first piece.
  EXPECT_EQ(lines[1].at("prompt_eval_duration").as_int64(), 6'000'000'000);
  EXPECT_EQ(lines[1].at("eval_duration").as_int64(), 0);
}

TEST(GenerateAnswer, OfTextPieces) {
  const std::string body =
      "data: {\"choices\":[{\"text\":\" Paris\",\"index\":0,\"logprobs\":null,"
      "\"finish_reason\":null}]}\n\n"
      "data: {\"choices\":[{\"text\":\"\",\"index\":0,\"logprobs\":null,"
      "\"finish_reason\":\"length\"}],\"usage\":{\"completion_tokens\":1,\"prompt_tokens\":5},"
      "\"timings\":{\"prompt_ms\":1,\"predicted_ms\":2}}\n\n" +
      kDone;
  const auto lines =
      translate(plan(Endpoint::Generate, Source::Text, true), kEvents, body, 9).lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(json::value(lines[0]),
            json::parse(R"({"model":"m:latest","created_at":")" + std::string(testing::kWallText) +
                        R"(","response":" Paris","done":false})"));
  EXPECT_EQ(lines[1].at("response").as_string(), "");
  EXPECT_EQ(lines[1].at("done_reason").as_string(), "length");
  EXPECT_EQ(lines[1].at("prompt_eval_count").as_int64(), 5);
  EXPECT_EQ(lines[1].at("eval_duration").as_int64(), 2'000'000);
  EXPECT_FALSE(lines[1].contains("message"));
}

TEST(GenerateAnswer, OfAChat) {
  const auto lines =
      translate(plan(Endpoint::Generate, Source::Chat, true), kEvents, kChat).lines();
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0].at("thinking").as_string(), "Hm.");
  EXPECT_EQ(lines[1].at("response").as_string(), "He");
}

TEST(GenerateAnswer, OfWhatWasFilledIn) {
  const std::string body =
      "data: {\"index\":0,\"content\":\"x\",\"stop\":false}\n\n"
      "data: {\"index\":0,\"content\":\"\",\"stop\":true,\"stop_type\":\"limit\","
      "\"tokens_predicted\":1,\"tokens_evaluated\":7,"
      "\"timings\":{\"prompt_ms\":1,\"predicted_ms\":2}}\n\n";
  const auto lines =
      translate(plan(Endpoint::Generate, Source::Infill, true), kEvents, body, 4).lines();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].at("response").as_string(), "x");
  EXPECT_EQ(lines[1].at("done_reason").as_string(), "length");
  EXPECT_EQ(lines[1].at("prompt_eval_count").as_int64(), 7);
  EXPECT_EQ(lines[1].at("eval_count").as_int64(), 1);
}

TEST(OtherAnswers, LoadAndUnload) {
  TestClock clock;
  const AnswerPlan generate = plan(Endpoint::Generate, Source::Chat, true);
  EXPECT_EQ(json::value(parsed(done_object(generate, "load", clock.clock()))),
            json::parse(R"({"model":"m:latest","created_at":")" + std::string(testing::kWallText) +
                        R"(","response":"","done":true,"done_reason":"load"})"));
  EXPECT_EQ(parsed(done_object(kChatStream, "unload", clock.clock())).at("message"),
            json::parse(R"({"role":"assistant","content":""})"));
  EXPECT_EQ(json::value(parsed(
                done_object(plan(Endpoint::Embed, Source::Vectors, false), "load", clock.clock()))),
            json::parse(R"({"model":"m:latest","embeddings":[]})"));
}

TEST(OtherAnswers, AWaitingLineSaysHowItStands) {
  TestClock clock;
  const std::string line =
      waiting_line(Endpoint::Generate, "m", R"({"position":2,"eta_s":4.5})", clock.clock());
  EXPECT_TRUE(line.ends_with("}\n"));
  const json::object object = parsed(line.substr(0, line.size() - 1));
  EXPECT_EQ(object.at("response").as_string(), "");
  EXPECT_FALSE(object.at("done").as_bool());
  EXPECT_EQ(object.at("holdfast").at("position").as_int64(), 2);
  EXPECT_FALSE(parsed(waiting_line(Endpoint::Chat, "m", "", clock.clock())).contains("holdfast"));
}

TEST(Timestamps, AreUtcWithNanoseconds) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(rfc3339(testing::kWallNs), testing::kWallText);
  EXPECT_EQ(rfc3339(1'709'210'096'000'000'001), "2024-02-29T12:34:56.000000001Z");
}

}  // namespace
}  // namespace hf::ollama
