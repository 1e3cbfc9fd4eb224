#include "api/routes.h"

#include <gtest/gtest.h>

namespace hf::api {
namespace {

TEST(Routes, ModelPathsArePost) {
  for (const char* path : {"/v1/chat/completions",
                           "/v1/completions",
                           "/v1/embeddings",
                           "/v1/responses",
                           "/v1/messages",
                           "/v1/messages/count_tokens",
                           "/v1/rerank",
                           "/v1/reranking",
                           "/chat/completions",
                           "/completions",
                           "/completion",
                           "/embedding",
                           "/embeddings",
                           "/rerank",
                           "/reranking",
                           "/responses",
                           "/infill",
                           "/tokenize",
                           "/detokenize",
                           "/apply-template",
                           "/chat/completions/input_tokens",
                           "/v1/responses/input_tokens"}) {
    const auto route = find_route("POST", path);
    ASSERT_TRUE(route) << path;
    EXPECT_EQ(route->endpoint, Endpoint::Proxied) << path;
    const auto wrong = find_route("GET", path);
    ASSERT_FALSE(wrong) << path;
    EXPECT_EQ(wrong.error().status, 405);
    EXPECT_EQ(wrong.error().allow, "POST");
  }
}

TEST(Routes, OnlySoundAndPicturesMayComeAsForms) {
  for (const char* path : {"/v1/audio/transcriptions", "/audio/transcriptions",
                           "/v1/audio/translations", "/v1/audio/speech", "/v1/images/generations",
                           "/v1/images/edits", "/v1/images/variations"}) {
    const auto route = find_route("POST", path);
    ASSERT_TRUE(route) << path;
    EXPECT_EQ(route->endpoint, Endpoint::Proxied) << path;
    EXPECT_TRUE(route->takes_forms) << path;
    EXPECT_FALSE(route->streams) << "servers answer JSON whatever they are asked: " << path;
    EXPECT_EQ(find_route("GET", path).error().status, 405) << path;
  }
  EXPECT_FALSE(find_route("POST", "/v1/chat/completions")->takes_forms);
}

TEST(Routes, WebSocketsGoToModels) {
  for (const char* path :
       {"/v1/realtime", "/realtime", "/v1/chat/completions", "/v1/audio/transcriptions"}) {
    const auto route = find_upgrade_route("GET", path);
    ASSERT_TRUE(route) << path;
    EXPECT_EQ(route->endpoint, Endpoint::Proxied) << path;
    EXPECT_TRUE(route->upgrades) << path;
  }
  EXPECT_EQ(find_route("GET", "/v1/realtime").error().status, 426);
  EXPECT_EQ(find_upgrade_route("GET", "/nothing").error().status, 404);
  EXPECT_FALSE(find_upgrade_route("GET", "/health")->upgrades) << "the wish is passed over";
}

TEST(Routes, ReadsAreGetAndHeadOnly) {
  for (const char* path : {"/", "/health", "/v1/health", "/health/live", "/v1/models", "/models",
                           "/v1/models/a", "/api/v1/models", "/api/v1/explain"}) {
    EXPECT_TRUE(find_route("GET", path)) << path;
    EXPECT_TRUE(find_route("HEAD", path)) << path;
    for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
      const auto wrong = find_route(method, path);
      ASSERT_FALSE(wrong) << method << path;
      EXPECT_EQ(wrong.error().status, 405);
      EXPECT_EQ(wrong.error().allow, "GET, HEAD");
    }
  }
}

TEST(Routes, CommandsNeverRunByGet) {
  for (const char* path :
       {"/api/v1/models/a/load", "/api/v1/models/a/unload", "/api/v1/models/a/pin",
        "/api/v1/models/a/unpin", "/api/v1/cleanup", "/api/v1/reload"}) {
    EXPECT_TRUE(find_route("POST", path)) << path;
    EXPECT_FALSE(find_route("GET", path)) << path;
    EXPECT_FALSE(find_route("HEAD", path)) << path;
  }
}

TEST(Routes, LastSegmentIsTheVerb) {
  const auto route = find_route("POST", "/api/v1/models/org/load/name:7b/unpin");
  ASSERT_TRUE(route);
  EXPECT_EQ(route->endpoint, Endpoint::AdminCommand);
  EXPECT_EQ(route->model, "org/load/name:7b");
  EXPECT_EQ(route->verb, Verb::Unpin);
  EXPECT_EQ(find_route("POST", "/api/v1/models/a/pin")->verb, Verb::Pin);
  EXPECT_EQ(find_route("POST", "/api/v1/models/a/load")->verb, Verb::Load);
  EXPECT_EQ(find_route("POST", "/api/v1/models/a/unload")->verb, Verb::Unload);
}

TEST(Routes, CommandWithoutNameOrWithUnknownVerbIsUnknown) {
  for (const char* path : {"/api/v1/models//load", "/api/v1/models/load", "/api/v1/models/a/start",
                           "/api/v1/models/"}) {
    const auto route = find_route("POST", path);
    ASSERT_FALSE(route) << path;
    EXPECT_EQ(route.error().status, 404) << path;
    EXPECT_FALSE(route.error().hint.empty()) << path;
  }
}

TEST(Routes, ModelInfoKeepsSlashesOfTheName) {
  const auto route = find_route("GET", "/v1/models/org/name:7b");
  ASSERT_TRUE(route);
  EXPECT_EQ(route->endpoint, Endpoint::ModelInfo);
  EXPECT_EQ(route->model, "org/name:7b");
}

TEST(Routes, UnknownPathsHaveHints) {
  for (const char* path : {"/nothing", "/v1/models/", "/slots/0", "/v1/audio/other", "/health/", "",
                           "*", "/V1/models"}) {
    const auto route = find_route("GET", path);
    ASSERT_FALSE(route) << path;
    EXPECT_EQ(route.error().status, 404);
    EXPECT_EQ(route.error().code, "unknown_path");
    EXPECT_FALSE(route.error().hint.empty());
  }
}

TEST(Routes, DialectFollowsThePath) {
  EXPECT_EQ(dialect_of("/v1/messages"), Dialect::Anthropic);
  EXPECT_EQ(dialect_of("/v1/messages/count_tokens"), Dialect::Anthropic);
  EXPECT_EQ(dialect_of("/v1/messages/none"), Dialect::Anthropic);
  EXPECT_EQ(dialect_of("/v1/messagesx"), Dialect::OpenAi);
  EXPECT_EQ(dialect_of("/completion"), Dialect::OpenAi);
  EXPECT_EQ(dialect_of("/api/v1/models/a/load"), Dialect::OpenAi);
}

TEST(QueryValue, FindsAndDecodes) {
  EXPECT_EQ(query_value("model=org%2Fname%3A7b&x=1", "model"), "org/name:7b");
  EXPECT_EQ(query_value("x=1&drain=true", "drain"), "true");
  EXPECT_EQ(query_value("drain", "drain"), "");
  EXPECT_EQ(query_value("a=1&a=2", "a"), "1");
  EXPECT_EQ(query_value("model=a+b", "model"), "a+b");
  EXPECT_EQ(query_value("model=a=b", "model"), "a=b");
  EXPECT_EQ(query_value("m%6fdel=x", "model"), "x");
}

TEST(QueryValue, KeepsBadEscapes) {
  EXPECT_EQ(query_value("model=%zz", "model"), "%zz");
  EXPECT_EQ(query_value("model=100%", "model"), "100%");
  EXPECT_EQ(query_value("model=%4", "model"), "%4");
}

TEST(QueryValue, AbsentIsNotEmpty) {
  EXPECT_EQ(query_value("", "model"), std::nullopt);
  EXPECT_EQ(query_value("models=1&&", "model"), std::nullopt);
}

TEST(Routes, SayWhatIsWantedOfTheModel) {
  const auto use = [](std::string_view path) { return find_route("POST", path)->use; };
  EXPECT_EQ(use("/v1/chat/completions"), Use::Generate);
  EXPECT_EQ(use("/v1/messages"), Use::Generate);
  EXPECT_EQ(use("/infill"), Use::Generate);
  EXPECT_EQ(use("/v1/embeddings"), Use::Embed);
  EXPECT_EQ(use("/embedding"), Use::Embed);
  EXPECT_EQ(use("/v1/reranking"), Use::Rank);
  EXPECT_EQ(use("/rerank"), Use::Rank);
  EXPECT_EQ(use("/tokenize"), Use::Any);
  EXPECT_EQ(use("/v1/messages/count_tokens"), Use::Any);
}

}  // namespace
}  // namespace hf::api
