#include "ollama/request.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace hf::ollama {
namespace {

namespace json = boost::json;

ModelFacts facts() {
  return {.name = "team/m", .context = 4096};
}

Request read(Endpoint endpoint, std::string_view body, const ModelFacts& model = facts()) {
  Checked<Request> request = read_request(endpoint, body, "m:latest", model);
  EXPECT_TRUE(request) << (request ? "" : request.error().message);
  return request ? std::move(*request) : Request{};
}

std::string fault(Endpoint endpoint, std::string_view body, const ModelFacts& model = facts()) {
  const Checked<Request> request = read_request(endpoint, body, "m", model);
  return request ? "" : request.error().message;
}

json::value body_of(const Request& request) {
  return json::parse(request.body);
}

TEST(ChatRequest, BecomesAStreamOfTheChatApi) {
  const Request request =
      read(Endpoint::Chat, R"({"model":"m:latest","messages":[{"role":"user","content":"Hi"}],
                               "options":{"temperature":0,"num_predict":5},"keep_alive":"5m"})");
  EXPECT_EQ(request.work, Work::Answer);
  EXPECT_EQ(request.target, "/v1/chat/completions");
  EXPECT_FALSE(request.lists_are_tasks);
  EXPECT_TRUE(request.plan.streams);
  EXPECT_EQ(request.plan.model, "m:latest");
  EXPECT_FALSE(request.zero_keep_alive);
  EXPECT_EQ(body_of(request),
            json::parse(R"({"model":"team/m","messages":[{"role":"user","content":"Hi"}],
                            "stream":true,"stream_options":{"include_usage":true},
                            "temperature":0,"max_tokens":5})"));
}

TEST(ChatRequest, WithoutAStreamNothingMoreIsSent) {
  const Request request = read(
      Endpoint::Chat, R"({"messages":[{"role":"user","content":"Hi"}],"stream":false,"tools":[]})");
  EXPECT_EQ(body_of(request),
            json::parse(R"({"model":"team/m","messages":[{"role":"user","content":"Hi"}],
                            "stream":false})"));
}

TEST(ChatRequest, ToolsFormatAndThinking) {
  const Request request = read(Endpoint::Chat, R"({"stream":false,
      "messages":[{"role":"user","content":"Hi"}],"format":{"type":"object"},"think":"low",
      "tools":[{"type":"function","function":{"name":"f"}}],"logprobs":true,"top_logprobs":3})");
  const json::value body = body_of(request);
  EXPECT_EQ(body.at("tools").at(0).at("function").at("name").as_string(), "f");
  EXPECT_EQ(body.at("response_format"), json::parse(R"({"type":"json_schema",
                            "json_schema":{"name":"answer","schema":{"type":"object"}}})"));
  EXPECT_EQ(body.at("chat_template_kwargs"), json::parse(R"({"enable_thinking":true})"));
  EXPECT_EQ(body.at("reasoning_effort").as_string(), "low");
  EXPECT_EQ(body.at("top_logprobs").as_int64(), 3);
  EXPECT_EQ(request.plan.top_logprobs, 3);
}

TEST(ChatRequest, ThinkingIsSwitched) {
  for (const char* on : {"true", "false"}) {
    const Request request = read(
        Endpoint::Chat, R"({"messages":[{"role":"user","content":"x"}],"format":"json","think":)" +
                            std::string(on) + "}");
    EXPECT_EQ(body_of(request).at("chat_template_kwargs").at("enable_thinking").as_bool(),
              std::string_view(on) == "true");
    EXPECT_EQ(body_of(request).at("response_format"), json::parse(R"({"type":"json_object"})"));
    EXPECT_FALSE(body_of(request).as_object().contains("reasoning_effort"));
  }
}

TEST(ChatRequest, LogprobsWithoutOthersAskTheEngineForOne) {
  const Request request =
      read(Endpoint::Chat, R"({"messages":[{"role":"user","content":"x"}],"logprobs":true})");
  EXPECT_EQ(body_of(request).at("top_logprobs").as_int64(), 1);
  EXPECT_EQ(request.plan.top_logprobs, 0);
}

TEST(ChatRequest, NoMessagesLoadOrUnload) {
  EXPECT_EQ(read(Endpoint::Chat, R"({"messages":[]})").work, Work::Load);
  EXPECT_EQ(read(Endpoint::Chat, R"({})").work, Work::Load);
  EXPECT_EQ(read(Endpoint::Chat, R"({"messages":[],"keep_alive":0})").work, Work::Unload);
  EXPECT_EQ(read(Endpoint::Generate, R"({"prompt":""})").work, Work::Load);
  EXPECT_EQ(read(Endpoint::Generate, R"({"keep_alive":"0s"})").work, Work::Unload);
  EXPECT_EQ(read(Endpoint::Embed, R"({"input":[]})").work, Work::Load);
  EXPECT_EQ(read(Endpoint::Embeddings, R"({"prompt":"","keep_alive":0})").work, Work::Unload);
}

TEST(ChatRequest, ZeroKeepAliveWithAPromptIsForLater) {
  const Request request =
      read(Endpoint::Chat, R"({"messages":[{"role":"user","content":"x"}],"keep_alive":0})");
  EXPECT_EQ(request.work, Work::Answer);
  EXPECT_TRUE(request.zero_keep_alive);
}

TEST(GenerateRequest, IsAChatWhereTheModelHasATemplate) {
  const Request request =
      read(Endpoint::Generate, R"({"prompt":"Hi","system":"Be brief.","stream":false})");
  EXPECT_EQ(request.target, "/v1/chat/completions");
  EXPECT_EQ(body_of(request).at("messages"),
            json::parse(R"([{"role":"system","content":"Be brief."},
                            {"role":"user","content":"Hi"}])"));
}

TEST(GenerateRequest, IsATextWhereItHasNoneOrRawIsAsked) {
  ModelFacts plain = facts();
  plain.has_chat_template = false;
  const Request request = read(Endpoint::Generate, R"({"prompt":"Hi","stream":false})", plain);
  EXPECT_EQ(request.target, "/v1/completions");
  EXPECT_TRUE(request.lists_are_tasks);
  EXPECT_EQ(request.plan.source, Source::Text);
  EXPECT_EQ(body_of(request), json::parse(R"({"model":"team/m","prompt":"Hi","stream":false})"));
  EXPECT_EQ(body_of(read(Endpoint::Generate, R"({"prompt":"Hi","system":"S"})", plain))
                .at("prompt")
                .as_string(),
            "S\n\nHi");
  const Request raw = read(Endpoint::Generate,
                           R"({"prompt":"[INST] Hi","raw":true,"format":"json","logprobs":true})");
  EXPECT_EQ(raw.target, "/v1/completions");
  EXPECT_EQ(body_of(raw), json::parse(R"({"model":"team/m","prompt":"[INST] Hi","stream":true,
                            "stream_options":{"include_usage":true},
                            "json_schema":{"type":"object"},"n_probs":1})"));
}

TEST(GenerateRequest, ASuffixIsFilledIn) {
  const Request request = read(Endpoint::Generate,
                               R"({"prompt":"def f(","suffix":"return x","stream":false,
                                   "options":{"num_predict":9}})");
  EXPECT_EQ(request.target, "/infill");
  EXPECT_EQ(request.plan.source, Source::Infill);
  EXPECT_EQ(body_of(request),
            json::parse(R"({"model":"team/m","input_prefix":"def f(","input_suffix":"return x",
                            "stream":false,"max_tokens":9})"));
}

TEST(GenerateRequest, PicturesAreForChat) {
  ModelFacts plain = facts();
  plain.has_chat_template = false;
  const Request request =
      read(Endpoint::Generate, R"({"prompt":"What?","images":["/9j/AAAA"]})", plain);
  EXPECT_EQ(request.target, "/v1/chat/completions");
  EXPECT_EQ(fault(Endpoint::Generate, R"({"prompt":"x","images":["/9j/AAAA"],"raw":true})"),
            "images go neither together with raw nor with suffix");
}

TEST(GenerateRequest, ATemplateOfTheClientIsRefused) {
  EXPECT_NE(fault(Endpoint::Generate, R"({"prompt":"x","template":"{{ .Prompt }}"})"), "");
  EXPECT_EQ(fault(Endpoint::Generate, R"({"prompt":"x","template":""})"), "");
  EXPECT_EQ(fault(Endpoint::Generate, R"({"prompt":"x","raw":true,"system":"S"})"),
            "raw does not go together with system");
}

TEST(GenerateRequest, AContextIsNotAppliedAndThatIsSaid) {
  const Request request = read(Endpoint::Generate, R"({"prompt":"x","context":[1,2,3]})");
  EXPECT_NE(request.plan.warning.find("context is not applied"), std::string::npos);
  EXPECT_EQ(read(Endpoint::Generate, R"({"prompt":"x","context":[]})").plan.warning, "");
}

TEST(EmbedRequest, TakesOneTextOrSeveral) {
  const Request one = read(Endpoint::Embed, R"({"input":"a","dimensions":8,"stream":true})");
  EXPECT_EQ(one.target, "/v1/embeddings");
  EXPECT_TRUE(one.lists_are_tasks);
  EXPECT_FALSE(one.plan.streams);
  EXPECT_TRUE(one.truncate);
  EXPECT_EQ(one.plan.dimensions, 8);
  EXPECT_EQ(body_of(one),
            json::parse(R"({"model":"team/m","input":["a"],"encoding_format":"float"})"));
  const Request many = read(Endpoint::Embed, R"({"input":["a","b"],"truncate":false})");
  EXPECT_FALSE(many.truncate);
  EXPECT_EQ(body_of(many).at("input"), json::parse(R"(["a","b"])"));
  EXPECT_EQ(body_of(read(Endpoint::Embeddings, R"({"prompt":"a"})")).at("input"),
            json::parse(R"(["a"])"));
}

TEST(AnyRequest, FaultsNameTheField) {
  for (const auto& [endpoint, body, param] :
       std::vector<std::tuple<Endpoint, const char*, const char*>>{
           {Endpoint::Chat, R"({"messages":{}})", "messages"},
           {Endpoint::Chat, R"({"messages":[{"role":"user","content":"x"}],"stream":1})", "stream"},
           {Endpoint::Chat, R"({"messages":[{"role":"user","content":"x"}],"format":"yaml"})",
            "format"},
           {Endpoint::Chat, R"({"messages":[{"role":"user","content":"x"}],"format":5})", "format"},
           {Endpoint::Chat, R"({"messages":[{"role":"user","content":"x"}],"think":"deep"})",
            "think"},
           {Endpoint::Chat, R"({"messages":[{"role":"user","content":"x"}],"tools":{}})", "tools"},
           {Endpoint::Chat, R"({"messages":[{"role":"user","content":"x"}],"top_logprobs":21})",
            "top_logprobs"},
           {Endpoint::Chat,
            R"({"messages":[{"role":"user","content":"x"}],"logprobs":true,
                "tools":[{"function":{"name":"f"}}]})",
            "logprobs"},
           {Endpoint::Chat, R"({"keep_alive":"soon"})", "keep_alive"},
           {Endpoint::Chat, R"({"options":[]})", "options"},
           {Endpoint::Generate, R"({"prompt":5})", "prompt"},
           {Endpoint::Generate, R"({"prompt":"x","suffix":5})", "suffix"},
           {Endpoint::Generate, R"({"prompt":"x","raw":"yes"})", "raw"},
           {Endpoint::Generate, R"({"prompt":"x","images":"x"})", "images"},
           {Endpoint::Embed, R"({"input":5})", "input"},
           {Endpoint::Embed, R"({"input":["a",5]})", "input"},
           {Endpoint::Embed, R"({"input":"a","dimensions":-1})", "dimensions"},
           {Endpoint::Embed, R"({"input":"a","truncate":"no"})", "truncate"},
           {Endpoint::Embeddings, R"({"prompt":["a"]})", "prompt"}}) {
    const Checked<Request> request = read_request(endpoint, body, "m", facts());
    ASSERT_FALSE(request) << body;
    EXPECT_EQ(request.error().param, param) << request.error().message;
  }
}

TEST(AnyRequest, TheLastOfTwoMembersCounts) {
  EXPECT_EQ(body_of(read(Endpoint::Embed, R"({"input":"a","input":"b"})")).at("input"),
            json::parse(R"(["b"])"));
}

TEST(AnyRequest, HostileBodiesAreRefused) {
  EXPECT_EQ(fault(Endpoint::Chat, R"({"tools":[1e999]})"),
            "the body holds a number that is too large");
  EXPECT_NE(fault(Endpoint::Chat, "[]"), "");
  EXPECT_NE(fault(Endpoint::Chat, R"({"x":"\ud800"})"), "");
  const std::string deep = R"({"x":)" + std::string(600, '[') + std::string(600, ']') + "}";
  EXPECT_NE(fault(Endpoint::Chat, deep), "");
  const std::string allowed = R"({"x":)" + std::string(400, '[') + std::string(400, ']') + "}";
  EXPECT_EQ(fault(Endpoint::Chat, allowed), "");
}

TEST(AnyRequest, AListOfNumbersMayNotFillTheMemory) {
  std::string body = R"({"prompt":"x","context":[1)";
  for (int i = 0; i < 4'000'000; ++i) {
    body += ",1";
  }
  EXPECT_EQ(fault(Endpoint::Generate, body + "]}"), "the body holds too many values");
}

}  // namespace
}  // namespace hf::ollama
