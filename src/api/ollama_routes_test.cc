#include "api/ollama_routes.h"

#include <gtest/gtest.h>

namespace hf::api {
namespace {

TEST(OllamaRoutes, RequestsArePost) {
  for (const auto& [path, request] : std::vector<std::pair<const char*, ollama::Endpoint>>{
           {"/api/chat", ollama::Endpoint::Chat},
           {"/api/generate", ollama::Endpoint::Generate},
           {"/api/embed", ollama::Endpoint::Embed},
           {"/api/embeddings", ollama::Endpoint::Embeddings}}) {
    const auto route = find_route("POST", path);
    ASSERT_TRUE(route) << path;
    EXPECT_EQ(route->endpoint, Endpoint::OllamaRequest);
    EXPECT_EQ(route->ollama, request);
    EXPECT_EQ(find_route("GET", path).error().status, 405);
    EXPECT_EQ(dialect_of(path), Dialect::Ollama);
  }
  EXPECT_EQ(find_route("POST", "/api/show")->endpoint, Endpoint::OllamaShow);
}

TEST(OllamaRoutes, ListsAreGetAndHead) {
  for (const auto& [path, endpoint] :
       std::vector<std::pair<const char*, Endpoint>>{{"/api/tags", Endpoint::OllamaTags},
                                                     {"/api/ps", Endpoint::OllamaProcesses},
                                                     {"/api/version", Endpoint::OllamaVersion}}) {
    EXPECT_EQ(find_route("GET", path)->endpoint, endpoint);
    EXPECT_EQ(find_route("HEAD", path)->endpoint, endpoint);
    EXPECT_EQ(find_route("POST", path).error().allow, "GET, HEAD");
    EXPECT_EQ(dialect_of(path), Dialect::Ollama);
  }
}

TEST(OllamaRoutes, WhatChangesModelsSaysWhatToDoInstead) {
  for (const auto& [method, path] :
       std::vector<std::pair<const char*, const char*>>{{"POST", "/api/pull"},
                                                        {"POST", "/api/push"},
                                                        {"POST", "/api/create"},
                                                        {"POST", "/api/copy"},
                                                        {"DELETE", "/api/delete"},
                                                        {"HEAD", "/api/blobs/sha256:abc"},
                                                        {"POST", "/api/blobs/sha256:abc"}}) {
    const auto route = find_route(method, path);
    ASSERT_FALSE(route) << path;
    EXPECT_EQ(route.error().status, 501) << path;
    EXPECT_FALSE(route.error().hint.empty()) << path;
    EXPECT_EQ(dialect_of(path), Dialect::Ollama);
  }
}

TEST(OllamaRoutes, OurOwnStayOurs) {
  for (const char* path : {"/api/v1", "/api/v1/models", "/api/v1/models/chat/load",
                           "/api/v1/unknown", "/api", "/v1/chat/completions"}) {
    EXPECT_FALSE(is_ollama_path(path)) << path;
    EXPECT_EQ(dialect_of(path), Dialect::OpenAi) << path;
  }
}

TEST(OllamaRoutes, UnknownPathsAreAnsweredAsOllamasClientsRead) {
  for (const char* path : {"/api/chats", "/api/", "/api/me", "/api/v2/models"}) {
    EXPECT_FALSE(is_ollama_path(path)) << path;
    EXPECT_EQ(dialect_of(path), Dialect::Ollama) << path;
    const auto route = find_route("POST", path);
    ASSERT_FALSE(route) << path;
    EXPECT_EQ(route.error().status, 404);
  }
  EXPECT_NE(find_route("GET", "/api/chats").error().hint.find("/api/tags"), std::string::npos);
  EXPECT_NE(find_route("GET", "/api/v1/x").error().hint.find("/api/v1/models"), std::string::npos);
}

}  // namespace
}  // namespace hf::api
