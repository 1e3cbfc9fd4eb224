#include "api/errors.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "base/units.h"

namespace hf::api {
namespace {

namespace json = boost::json;
using core::Why;

engine::Refusal refusal(Why why, Duration retry_after = {}, std::string message = {}) {
  engine::Refusal r;
  r.reason.why = why;
  r.retry_after = retry_after;
  r.message = std::move(message);
  return r;
}

std::string header(const net::Reply& reply, std::string_view name) {
  for (const net::Header& h : reply.headers) {
    if (net::header_equals(h.name, name)) {
      return h.value;
    }
  }
  return "(none)";
}

json::object inner(std::string_view body) {
  return json::parse(json::string_view(body.data(), body.size())).at("error").as_object();
}

TEST(Errors, OpenAiShape) {
  ApiError error = bad_request("invalid_json", "no");
  error.param = "model";
  const json::value body = json::parse(error_body(error, Dialect::OpenAi, "id1"));
  EXPECT_EQ(body.as_object().size(), 1U);
  const json::object& object = body.at("error").as_object();
  EXPECT_EQ(object.at("message").as_string(), "no");
  EXPECT_EQ(object.at("type").as_string(), "invalid_request_error");
  EXPECT_EQ(object.at("code").as_string(), "invalid_json");
  EXPECT_EQ(object.at("param").as_string(), "model");
  const json::value plain = json::parse(error_body(bad_request("a", "b"), Dialect::OpenAi, ""));
  EXPECT_TRUE(plain.at("error").at("param").is_null());
}

TEST(Errors, AnthropicShape) {
  const json::value body =
      json::parse(error_body(bad_request("invalid_json", "no"), Dialect::Anthropic, "id1"));
  EXPECT_EQ(body.at("type").as_string(), "error");
  EXPECT_EQ(body.at("request_id").as_string(), "id1");
  EXPECT_EQ(body.at("error").at("type").as_string(), "invalid_request_error");
  EXPECT_EQ(body.at("error").at("message").as_string(), "no");
}

TEST(Errors, OllamaShape) {
  ApiError error = bad_request("invalid_request", "stream must be true or false");
  error.param = "stream";
  error.retry_after = std::chrono::seconds(3);
  error.numbers = {{"limit_bytes", 5}};
  EXPECT_EQ(json::parse(error_body(error, Dialect::Ollama, "id1")),
            json::parse(R"({"error":"stream must be true or false","code":"invalid_request",
                            "param":"stream","retry_after_s":3,"limit_bytes":5})"));
  error = bad_request("a", "no");
  error.hint = "do this";
  EXPECT_EQ(json::parse(error_body(error, Dialect::Ollama, "")).at("error").as_string(),
            "no (do this)");
  EXPECT_EQ(stream_error_event(bad_request("a", "b"), Dialect::Ollama, "application/x-ndjson"),
            "{\"error\":\"b\",\"code\":\"a\"}\n");
}

TEST(Errors, OllamasClientsLookForTheWordsNotFound) {
  engine::NotFound lost;
  lost.asked = "gema";
  lost.near = {"gemma"};
  const json::value body = json::parse(error_body(unknown_model(lost), Dialect::Ollama, ""));
  EXPECT_EQ(body.at("error").as_string(),
            "model \"gema\" not found; did you mean \"gemma\"? (GET /api/tags lists the names)");
  EXPECT_EQ(body.at("hint").as_string(), "GET /api/tags lists the names");
}

TEST(Errors, WhatCanBeMendedHasANextStep) {
  for (const Why why : {Why::UserLimit, Why::QueueFull, Why::ModelGone}) {
    EXPECT_FALSE(from_refusal(refusal(why), "m").hint.empty()) << core::name_of(why);
  }
  EXPECT_FALSE(upstream_crashed("m").hint.empty());
}

TEST(Errors, TypesFollowTheStatus) {
  struct Row {
    int status;
    const char* openai;
    const char* anthropic;
  };
  for (const Row& row :
       {Row{400, "invalid_request_error", "invalid_request_error"},
        Row{401, "authentication_error", "authentication_error"},
        Row{403, "permission_error", "permission_error"},
        Row{404, "invalid_request_error", "not_found_error"},
        Row{409, "invalid_request_error", "invalid_request_error"},
        Row{413, "invalid_request_error", "request_too_large"},
        Row{422, "invalid_request_error", "invalid_request_error"},
        Row{429, "rate_limit_error", "rate_limit_error"}, Row{500, "server_error", "api_error"},
        Row{502, "server_error", "api_error"}, Row{503, "unavailable_error", "overloaded_error"}}) {
    ApiError error;
    error.status = row.status;
    EXPECT_EQ(inner(error_body(error, Dialect::OpenAi, "")).at("type").as_string(), row.openai);
    EXPECT_EQ(inner(error_body(error, Dialect::Anthropic, "")).at("type").as_string(),
              row.anthropic);
  }
}

TEST(Errors, RetryAfterIsWholeSecondsAndAtLeastOne) {
  EXPECT_EQ(retry_after_s(std::chrono::nanoseconds(1)), 1);
  EXPECT_EQ(retry_after_s(std::chrono::milliseconds(999)), 1);
  EXPECT_EQ(retry_after_s(std::chrono::milliseconds(1001)), 2);
  EXPECT_EQ(retry_after_s(std::chrono::seconds(7)), 7);
}

TEST(Errors, WaitingRefusalsSayWhenToComeBack) {
  struct Row {
    Why why;
    int status;
    const char* code;
  };
  for (const Row& row :
       {Row{Why::QueueFull, 503, "queue_full"}, Row{Why::UserLimit, 429, "user_limit"},
        Row{Why::ModelFailed, 503, "model_failed"}, Row{Why::LoadFailed, 503, "load_failed"},
        Row{Why::ShuttingDown, 503, "shutting_down"}, Row{Why::Forced, 503, "forced"}}) {
    const ApiError error = from_refusal(refusal(row.why, std::chrono::milliseconds(2500)), "m");
    EXPECT_EQ(error.status, row.status) << row.code;
    EXPECT_EQ(error.code, row.code);
    const net::Reply reply = error_reply(error, Dialect::OpenAi, "id");
    EXPECT_EQ(header(reply, "retry-after"), "3") << row.code;
    EXPECT_EQ(inner(reply.body).at("retry_after_s").as_int64(), 3);
    const net::Reply hasty = error_reply(from_refusal(refusal(row.why), "m"), Dialect::OpenAi, "");
    EXPECT_EQ(header(hasty, "retry-after"), "1") << row.code;
  }
}

TEST(Errors, NeverFitsNamesBothSizesAndIsFinal) {
  engine::Refusal r = refusal(Why::NeverFits);
  r.reason.need = Bytes(8) + 7 * kGiB;
  r.reason.have = 5 * kGiB;
  const ApiError error = from_refusal(r, "big");
  EXPECT_EQ(error.status, 422);
  EXPECT_NE(error.message.find("\"big\" needs " + format_bytes(r.reason.need)), std::string::npos);
  EXPECT_NE(error.message.find(format_bytes(r.reason.have)), std::string::npos);
  const net::Reply reply = error_reply(error, Dialect::OpenAi, "id");
  EXPECT_EQ(header(reply, "retry-after"), "(none)");
  EXPECT_EQ(inner(reply.body).at("needed_bytes").as_int64(), r.reason.need.count);
  EXPECT_EQ(inner(reply.body).at("available_bytes").as_int64(), r.reason.have.count);
}

TEST(Errors, ACardThatOthersHoldIsTheServersStateNowInEveryDialect) {
  engine::Refusal r = refusal(Why::CardTaken, std::chrono::seconds(10), "others hold cuda0");
  r.reason.need = 7 * kGiB;
  r.reason.have = 5 * kGiB;
  r.hint = "wait for them";
  const ApiError error = from_refusal(r, "m");
  EXPECT_EQ(error.message, "model \"m\" cannot be served now: others hold cuda0");
  for (const Dialect dialect : {Dialect::OpenAi, Dialect::Anthropic}) {
    const net::Reply reply = error_reply(error, dialect, "id");
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(header(reply, "retry-after"), "10");
    EXPECT_EQ(inner(reply.body).at("code").as_string(), "card_taken");
    EXPECT_EQ(inner(reply.body).at("hint").as_string(), "wait for them");
    EXPECT_EQ(inner(reply.body).at("needed_bytes").as_int64(), r.reason.need.count);
    EXPECT_EQ(inner(reply.body).at("available_bytes").as_int64(), r.reason.have.count);
  }
}

TEST(Errors, TheEnginesNextStepIsTheHint) {
  engine::Refusal r = refusal(Why::NeverFits);
  EXPECT_NE(from_refusal(r, "big").hint.find("larger memory budget"), std::string::npos);
  r.hint = "set context lower";
  EXPECT_EQ(from_refusal(r, "big").hint, "set context lower");
}

TEST(Errors, BrokenModelIsFinalAndSaysWhy) {
  const ApiError error =
      from_refusal(refusal(Why::ModelBroken, std::chrono::seconds(9), "the file is cut"), "m");
  EXPECT_EQ(error.status, 422);
  EXPECT_EQ(error.code, "model_broken");
  EXPECT_EQ(error.message, "model \"m\" cannot be served: the file is cut");
  EXPECT_EQ(error.retry_after, Duration::zero());
}

TEST(Errors, FailedLoadsReadOnce) {
  const std::string later = "its last load failed; the next attempt is allowed later";
  EXPECT_EQ(from_refusal(refusal(Why::ModelFailed, {}, later), "m").message,
            "model \"m\" cannot be served now: " + later);
  EXPECT_EQ(from_refusal(refusal(Why::LoadFailed, {}, "its load failed"), "m").message,
            "model \"m\" cannot be served now: its load failed");
}

TEST(Errors, BrokenAndFailedModelsHaveTheEnginesNextStep) {
  for (const Why why : {Why::ModelBroken, Why::LoadFailed, Why::ModelFailed}) {
    engine::Refusal r = refusal(why);
    r.hint = "fetch the file again";
    EXPECT_EQ(from_refusal(r, "m").hint, r.hint);
  }
}

TEST(Errors, GoneModelIsNotFound) {
  const ApiError error = from_refusal(refusal(Why::ModelGone), "m");
  EXPECT_EQ(error.status, 404);
  EXPECT_EQ(error.code, "model_not_found");
}

TEST(Errors, EveryRefusalHasASentence) {
  for (int i = 0; i <= static_cast<int>(Why::Exited); ++i) {
    const ApiError error = from_refusal(refusal(static_cast<Why>(i)), "m");
    EXPECT_FALSE(error.message.empty()) << i;
    EXPECT_FALSE(error.code.empty()) << i;
    EXPECT_GE(error.status, 400) << i;
  }
}

TEST(Errors, CutsAreTyped) {
  core::Reason reason;
  reason.why = Why::RequestLimit;
  reason.waited = std::chrono::seconds(90);
  reason.limit = std::chrono::seconds(60);
  EXPECT_EQ(from_cut(reason, "m").code, "request_limit");
  EXPECT_NE(from_cut(reason, "m").message.find(format_duration(reason.limit)), std::string::npos);
  reason.why = Why::ChildDied;
  EXPECT_EQ(from_cut(reason, "m").code, "upstream_crashed");
  EXPECT_EQ(from_cut(reason, "m").status, 502);
  reason.why = Why::DrainDeadline;
  EXPECT_EQ(from_cut(reason, "m").code, "drain_deadline");
  EXPECT_EQ(from_cut(reason, "m").status, 503);
  reason.why = Why::ReaderStalled;
  EXPECT_EQ(from_cut(reason, "m").status, 408);
  reason.why = Why::Forced;
  EXPECT_EQ(from_cut(reason, "m").code, "forced");
}

TEST(Errors, StreamEventPerDialect) {
  const ApiError error = upstream_crashed("m");
  const std::string openai = stream_error_event(error, Dialect::OpenAi, "text/event-stream");
  ASSERT_TRUE(openai.starts_with("data: {\"error\":{"));
  ASSERT_TRUE(openai.ends_with("}\n\n"));
  EXPECT_EQ(inner(openai.substr(6)).at("retry_after_s").as_int64(), 1);
  const std::string anthropic =
      stream_error_event(error, Dialect::Anthropic, "text/event-stream; charset=utf-8");
  const std::string_view start = "event: error\ndata: ";
  ASSERT_TRUE(anthropic.starts_with(start));
  const json::value data = json::parse(anthropic.substr(start.size()));
  EXPECT_EQ(data.at("type").as_string(), "error");
  EXPECT_EQ(data.at("error").at("type").as_string(), "api_error");
  EXPECT_FALSE(data.at("error").at("message").as_string().empty());
}

TEST(Errors, StreamOfLinesGetsALine) {
  const std::string line =
      stream_error_event(upstream_crashed("m"), Dialect::OpenAi, "application/x-ndjson");
  EXPECT_TRUE(line.starts_with("{\"error\""));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(Errors, BodyFaultsHaveCodesOfTheirOwn) {
  EXPECT_EQ(from_body_fault(net::BodyFault::NotJson, "").code, "invalid_json");
  EXPECT_EQ(from_body_fault(net::BodyFault::NotObject, "").code, "not_an_object");
  EXPECT_EQ(from_body_fault(net::BodyFault::NoModel, "").code, "model_missing");
  EXPECT_EQ(from_body_fault(net::BodyFault::TwoModels, "").code, "model_ambiguous");
  EXPECT_EQ(from_body_fault(net::BodyFault::ModelNotString, "").code, "model_not_a_string");
  EXPECT_EQ(from_body_fault(net::BodyFault::EmptyModel, "").code, "model_empty");
  EXPECT_EQ(from_body_fault(net::BodyFault::TooManyProbabilities, "").code,
            "too_many_probabilities");
  EXPECT_EQ(from_body_fault(net::BodyFault::TwoModels, "").status, 400);
  EXPECT_EQ(from_body_fault(net::BodyFault::NotJson, "it is empty").message, "it is empty");
  EXPECT_EQ(from_body_fault(net::BodyFault::NotJson, "").message, "the body is not valid JSON");
  EXPECT_EQ(from_body_fault(net::BodyFault::NotJson, "").param, "");
  EXPECT_EQ(from_body_fault(net::BodyFault::NoModel, "").param, "model");
  EXPECT_EQ(from_body_fault(net::BodyFault::WindowTooLarge, "", "repeat_last_n").param,
            "repeat_last_n");
  EXPECT_EQ(from_body_fault(net::BodyFault::SchemaTooLarge, "").code, "body_too_complex");
}

TEST(Errors, UnknownModelNamesNearOnes) {
  engine::NotFound lost;
  lost.asked = "gema";
  EXPECT_EQ(unknown_model(lost).message, "there is no model \"gema\"");
  lost.near = {"gemma", "gemini"};
  EXPECT_EQ(unknown_model(lost).message,
            "there is no model \"gema\"; did you mean \"gemma\" or \"gemini\"?");
  EXPECT_EQ(unknown_model(lost).status, 404);
  EXPECT_EQ(unknown_model(lost).code, "model_not_found");
}

TEST(Errors, UnknownModelRepeatsOnlyText) {
  engine::NotFound lost;
  lost.asked = std::string("\xff\x01") + std::string(5000, 'a');
  const std::string body = error_body(unknown_model(lost), Dialect::OpenAi, "");
  EXPECT_LT(body.size(), 600U);
  EXPECT_NE(body.find("??aaa"), std::string::npos);
}

TEST(Errors, HeadersOfReplies) {
  ApiError error = bad_request("a", "b");
  error.allow = "GET, HEAD";
  error.status = 405;
  EXPECT_EQ(header(error_reply(error, Dialect::OpenAi, "id"), "allow"), "GET, HEAD");
  EXPECT_EQ(header(error_reply(error, Dialect::OpenAi, "id"), "X-Request-Id"), "id");
  error.status = 409;
  EXPECT_EQ(header(error_reply(error, Dialect::OpenAi, "id"), "x-should-retry"), "false");
  error.status = 501;
  EXPECT_EQ(header(error_reply(error, Dialect::OpenAi, "id"), "x-should-retry"), "false");
}

}  // namespace
}  // namespace hf::api
