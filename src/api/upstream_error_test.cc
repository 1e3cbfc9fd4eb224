#include "api/upstream_error.h"

#include <gtest/gtest.h>

namespace hf::api {
namespace {

constexpr const char* kOverflow =
    R"({"error": {"code": 400, "message": "request (5000 tokens) exceeds the available context )"
    R"(size (4096 tokens), try increasing it", "type": "exceed_context_size_error", )"
    R"("n_prompt_tokens": 5000, "n_ctx": 4096}})";

TEST(UpstreamError, AFullContextIsSaidAsEachApiSaysIt) {
  const ApiError openai = from_upstream_error(400, kOverflow, "m", Dialect::OpenAi);
  EXPECT_EQ(openai.status, 400);
  EXPECT_EQ(openai.code, "context_length_exceeded");
  EXPECT_NE(openai.message.find("maximum context length is 4096 tokens"), std::string::npos);
  EXPECT_NE(openai.message.find("context_length_exceeded"), std::string::npos);
  EXPECT_EQ(openai.numbers.size(), 2U);
  const ApiError anthropic = from_upstream_error(400, kOverflow, "m", Dialect::Anthropic);
  EXPECT_EQ(anthropic.message, "prompt is too long: 5000 tokens > 4096 maximum");
}

TEST(UpstreamError, AnInputThatIsTooLongForOneBatchIsAFullContext) {
  const ApiError error = from_upstream_error(
      500,
      R"({"error": {"code": 500, "type": "server_error", "message": "input (900 tokens) is too )"
      R"(large to process. increase the physical batch size"}})",
      "m", Dialect::OpenAi);
  EXPECT_EQ(error.status, 400);
  EXPECT_EQ(error.code, "context_length_exceeded");
}

TEST(UpstreamError, KeepsWhatTheEngineSaysOfTheRequest) {
  const ApiError error = from_upstream_error(
      400, R"({"error": {"code": 400, "type": "invalid_request_error", "message": "no \"role\""}})",
      "m", Dialect::OpenAi);
  EXPECT_EQ(error.status, 400);
  EXPECT_EQ(error.code, "invalid_request");
  EXPECT_EQ(error.message, "no \"role\"");
}

TEST(UpstreamError, DoesNotNameFlagsOrFiles) {
  for (const char* message :
       {"This server does not support embeddings. Start it with `--embeddings`",
        "cannot open /home/x/model.gguf", "llama-server failed"}) {
    const std::string body =
        std::string(R"({"error": {"code": 501, "type": "not_supported_error",)") +
        R"( "message": ")" + message + R"("}})";
    const ApiError error = from_upstream_error(501, body, "m", Dialect::OpenAi);
    EXPECT_EQ(error.status, 501);
    EXPECT_EQ(error.code, "unsupported_by_model");
    EXPECT_EQ(error.message, "model \"m\" does not offer this");
    EXPECT_FALSE(error.hint.empty());
  }
}

std::string message_for(const std::string& said) {
  const std::string body = R"({"error": {"message": ")" + said + R"("}})";
  return from_upstream_error(400, body, "m", Dialect::OpenAi).message;
}

TEST(UpstreamError, DoesNotNamePathsOfTheMachine) {
  for (const char* said :
       {"The model `/srv/models/x` does not exist", "no /opt/vllm/lib.so", "(/var/lib/x): denied",
        "/run/hf/x.sock", "cannot read file:///data/x/y", "path=/mnt/a/b.", "see ../srv/models/x",
        "open ~/models/x", "in /v1/../etc/passwd", "in /api/keys.toml", "the folder “/srv/a”"}) {
    EXPECT_EQ(message_for(said), "the server of model \"m\" refused this request") << said;
  }
}

TEST(UpstreamError, KeepsSlashesThatAreNoPaths) {
  for (const char* said :
       {"use text and/or image/audio/video", "at most 5 tokens/s", "from 1/2/2026 on", "/x or /",
        "use /v1/chat/completions.", "see https://docs.example/en/latest", "no `</s>`/`<s>`",
        "org/model/file is unknown",
        "JSON schema error at #/properties/a: cannot resolve $ref #/$defs/Foo"}) {
    EXPECT_EQ(message_for(said), said);
  }
}

TEST(UpstreamError, CodeAndFieldAreShortWordsOrNothing) {
  const auto of = [](const std::string& word) {
    const std::string body =
        R"({"error": {"message": "no", "code": ")" + word + R"(", "param": ")" + word + R"("}})";
    return from_upstream_error(400, body, "m", Dialect::OpenAi);
  };
  EXPECT_EQ(of("messages[0].tool-calls").param, "messages[0].tool-calls");
  EXPECT_EQ(of(std::string(64, 'x')).code, std::string(64, 'x'));
  for (const std::string& word : {std::string(65, 'x'), std::string("/srv/models/x"),
                                  std::string("a b"), std::string("имя")}) {
    EXPECT_EQ(of(word).code, "invalid_request") << word;
    EXPECT_EQ(of(word).param, "") << word;
  }
}

TEST(UpstreamError, AKeyThatTheEngineWantsIsNotTheCallers) {
  for (const int status : {401, 403, 407}) {
    const ApiError error = from_upstream_error(
        status, R"({"error": {"code": "invalid_api_key", "message": "Unauthorized"}})", "m",
        Dialect::OpenAi);
    EXPECT_EQ(error.status, 502);
    EXPECT_EQ(error.code, "upstream_error");
    EXPECT_NE(error.message.find("a key of its own"), std::string::npos);
    EXPECT_NE(error.hint.find("administrator"), std::string::npos);
  }
}

TEST(UpstreamError, ADeadPathIsTheModelsAffair) {
  for (const char* body : {R"({"error": {"code": 404, "message": "File Not Found"}})",
                           R"({"detail": "Not Found"})", "<html>no</html>"}) {
    const ApiError error = from_upstream_error(404, body, "m", Dialect::OpenAi);
    EXPECT_EQ(error.code, "unsupported_by_model");
    EXPECT_EQ(error.message, "model \"m\" does not offer this");
  }
}

TEST(UpstreamError, KeepsCodeAndFieldOfServersThatSpeakTheDialect) {
  const ApiError error = from_upstream_error(
      422, R"({"error": {"code": "bad_size", "type": "x", "message": "too big", "param": "size"}})",
      "m", Dialect::OpenAi);
  EXPECT_EQ(error.status, 422);
  EXPECT_EQ(error.code, "bad_size");
  EXPECT_EQ(error.param, "size");
}

TEST(UpstreamError, AnythingElseGetsASentenceOfOurs) {
  for (const char* body : {"", "<html>", "[1]", "{}", R"({"error": 5})", "{\"error\": {"}) {
    const ApiError error = from_upstream_error(500, body, "m", Dialect::OpenAi);
    EXPECT_EQ(error.status, 500) << body;
    EXPECT_EQ(error.code, "upstream_error") << body;
    EXPECT_EQ(error.message, "the server of model \"m\" could not answer this request") << body;
  }
  EXPECT_EQ(from_upstream_error(500, R"({"error": "plain"})", "m", Dialect::OpenAi).message,
            "plain");
  EXPECT_EQ(from_upstream_error(503, "", "m", Dialect::OpenAi).retry_after,
            std::chrono::seconds(1));
}

TEST(UpstreamError, LongSentencesAreCut) {
  const std::string body = R"({"error": {"message": ")" + std::string(50'000, 'x') + R"("}})";
  EXPECT_LT(from_upstream_error(400, body, "m", Dialect::OpenAi).message.size(), 1100U);
}

}  // namespace
}  // namespace hf::api
