#include "net/request_head.h"

#include <gtest/gtest.h>

namespace hf::net {
namespace {

http::request_header<> raw(http::verb method, const char* target) {
  http::request_header<> header;
  header.method(method);
  header.target(target);
  header.version(11);
  header.set(http::field::host, "h");
  return header;
}

TEST(RequestHeadDecode, SplitsAndDecodesTheTarget) {
  const auto decoded = decode_head(raw(http::verb::get, "/api/a%2Fb%3A1?x=%20&y"));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->head.path, "/api/a/b:1");
  EXPECT_EQ(decoded->head.query, "x=%20&y");
  EXPECT_EQ(decoded->head.target, "/api/a%2Fb%3A1?x=%20&y");
  EXPECT_TRUE(decoded->framing.keep_alive);
}

TEST(RequestHeadDecode, TakesTheAbsoluteFormApart) {
  EXPECT_EQ(decode_head(raw(http::verb::get, "HTTP://box:1/v1/x"))->head.target, "/v1/x");
  EXPECT_EQ(decode_head(raw(http::verb::get, "http://box"))->head.target, "/");
  EXPECT_EQ(decode_head(raw(http::verb::get, "Https://box/v1/x?y"))->head.target, "/v1/x?y");
  EXPECT_FALSE(decode_head(raw(http::verb::get, "httpx://box/v1/x")).has_value());
}

TEST(RequestHeadDecode, RefusesTargetsThatHideSomething) {
  EXPECT_FALSE(decode_head(raw(http::verb::get, "/%zz")).has_value());
  EXPECT_FALSE(decode_head(raw(http::verb::get, "/%2")).has_value());
  EXPECT_FALSE(decode_head(raw(http::verb::get, "/a%00b")).has_value());
  EXPECT_FALSE(decode_head(raw(http::verb::get, "v1/x")).has_value());
}

TEST(RequestHeadDecode, SaysWhatToDoAboutABadTarget) {
  EXPECT_EQ(decode_head(raw(http::verb::connect, "box:80")).error(),
            "a bad request target: ask for a path that begins with /, such as /v1/models");
  EXPECT_EQ(decode_head(raw(http::verb::get, "/100%")).error(),
            "a bad request target: write % as %25, and nothing as %00");
}

TEST(RequestHeadDecode, HasRoomForABoundedNumberOfHeaders) {
  auto header = raw(http::verb::get, "/");  // with Host
  for (int i = 1; i < 128; ++i) {
    header.insert("b", "");
  }
  EXPECT_TRUE(decode_head(header).has_value());
  header.insert("b", "");
  EXPECT_EQ(decode_head(header).error(), "it has more than 128 headers: send fewer");
}

TEST(RequestHeadDecode, HasRoomForABoundedNumberOfNamesInConnection) {
  auto header = raw(http::verb::get, "/");
  std::string names = "a";
  for (int i = 1; i < 32; ++i) {
    names += ", a";
  }
  header.insert(http::field::connection, names);
  EXPECT_TRUE(decode_head(header).has_value());
  header.insert(http::field::connection, "b");
  EXPECT_EQ(decode_head(header).error(), "Connection names more than 32 headers: name fewer");
}

TEST(RequestHeadDecode, FindsHeadersInAnyCase) {
  auto header = raw(http::verb::post, "/");
  header.set("X-Api-Key", "k");
  header.set(http::field::content_length, "12");
  const auto decoded = decode_head(header);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->head.header("x-api-KEY"), "k");
  EXPECT_EQ(decoded->head.header("x-api"), "");
  EXPECT_EQ(decoded->head.content_length, 12U);
  EXPECT_TRUE(decoded->framing.has_body());
}

TEST(RequestHeadDecode, EveryConnectionHeaderCounts) {
  auto header = raw(http::verb::get, "/");
  header.insert(http::field::connection, "x-a");
  header.insert(http::field::connection, "Close");
  EXPECT_FALSE(decode_head(header)->framing.keep_alive);
}

RequestHead asking(std::string_view method,
                   const std::vector<std::pair<const char*, const char*>>& headers) {
  RequestHead head;
  head.method = method;
  for (const auto& [name, value] : headers) {
    head.headers.push_back(Header{name, value});
  }
  return head;
}

TEST(WantsUpgrade, AGetThatAsksForAnotherProtocolOnItsConnection) {
  EXPECT_TRUE(wants_upgrade(asking("GET", {{"Upgrade", "websocket"}, {"Connection", "Upgrade"}})));
  EXPECT_TRUE(wants_upgrade(asking(
      "GET", {{"upgrade", "x/1"}, {"connection", "keep-alive"}, {"Connection", "UPGRADE"}})));
}

TEST(WantsUpgrade, NothingElse) {
  const std::pair<const char*, const char*> upgrade{"Upgrade", "websocket"};
  const std::pair<const char*, const char*> connection{"Connection", "Upgrade"};
  EXPECT_FALSE(wants_upgrade(asking("GET", {})));
  EXPECT_FALSE(wants_upgrade(asking("GET", {upgrade})));
  EXPECT_FALSE(wants_upgrade(asking("GET", {connection})));
  EXPECT_FALSE(wants_upgrade(asking("GET", {upgrade, {"Connection", "keep-alive"}})));
  EXPECT_FALSE(wants_upgrade(asking("POST", {upgrade, connection})));
  EXPECT_FALSE(wants_upgrade(asking("GET", {{"Upgrade", "h2c"}, connection})));
  EXPECT_FALSE(wants_upgrade(asking("GET", {{"Upgrade", "websocket, H2C"}, connection})));
  EXPECT_FALSE(
      wants_upgrade(asking("GET", {upgrade, connection, {"Transfer-Encoding", "chunked"}})));
  RequestHead with_body = asking("GET", {upgrade, connection});
  with_body.content_length = 5;
  EXPECT_FALSE(wants_upgrade(with_body));
}

}  // namespace
}  // namespace hf::net
