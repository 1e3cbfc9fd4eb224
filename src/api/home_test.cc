#include "api/home.h"

#include <gtest/gtest.h>

namespace hf::api {
namespace {

net::Reply home(const char* accept) {
  net::RequestHead head;
  if (accept != nullptr) {
    head.headers.push_back(net::Header{"Accept", accept});
  }
  return home_reply(head, "id1");
}

TEST(Home, ProbesOfOllamasClientsGetItsWords) {
  for (const char* accept : {static_cast<const char*>(nullptr), "*/*", "application/json"}) {
    const net::Reply reply = home(accept);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "Ollama is running");
    EXPECT_EQ(reply.content_type, "text/plain; charset=utf-8");
  }
}

TEST(Home, BrowsersGetAPage) {
  const net::Reply reply = home("text/html,application/xhtml+xml,*/*;q=0.8");
  EXPECT_EQ(reply.content_type, "text/html; charset=utf-8");
  EXPECT_TRUE(reply.body.starts_with("<!DOCTYPE html>"));
  EXPECT_NE(reply.body.find("/v1/chat/completions"), std::string::npos);
}

}  // namespace
}  // namespace hf::api
