#include "config/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hf::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ParseListen, LocalhostMeansBothLoopbackAddresses) {
  EXPECT_THAT(*parse_listen("localhost:11435"),
              ElementsAre(SocketAddress{"127.0.0.1", 11435}, SocketAddress{"::1", 11435}));
}

TEST(ParseListen, ReadsNumericAddresses) {
  EXPECT_THAT(*parse_listen("0.0.0.0:80"), ElementsAre(SocketAddress{"0.0.0.0", 80}));
  EXPECT_THAT(*parse_listen("[::1]:0"), ElementsAre(SocketAddress{"::1", 0}));
  EXPECT_THAT(*parse_listen("::"), ElementsAre(SocketAddress{"::", kDefaultPort}));
  EXPECT_THAT(*parse_listen("10.1.2.3"), ElementsAre(SocketAddress{"10.1.2.3", kDefaultPort}));
}

TEST(ParseListen, RefusesNamesAndNonsense) {
  for (const char* text : {"", ":11435", "box.lan:11435", "*:1", "127.0.0.1:65536", "127.0.0.1:",
                           "127.0.0.1:-1", "[::1", "[::1]11", "[127.0.0.1]:1", "1.2.3:4", "[]:1"}) {
    EXPECT_FALSE(parse_listen(text).has_value()) << text;
  }
  EXPECT_THAT(parse_listen("box:1").error().message, HasSubstr("expected \"IP:PORT\""));
}

TEST(IsLoopback, KnowsTheWholeRangeAndItsIpv6Form) {
  EXPECT_TRUE(is_loopback({"127.0.0.1", 1}));
  EXPECT_TRUE(is_loopback({"127.8.9.10", 1}));
  EXPECT_TRUE(is_loopback({"::1", 1}));
  EXPECT_TRUE(is_loopback({"::ffff:127.0.0.1", 1}));
  EXPECT_FALSE(is_loopback({"0.0.0.0", 1}));
  EXPECT_FALSE(is_loopback({"::", 1}));
  EXPECT_FALSE(is_loopback({"192.168.0.1", 1}));
  EXPECT_FALSE(is_loopback({"::ffff:10.0.0.1", 1}));
}

TEST(ToText, PutsIpv6InBrackets) {
  EXPECT_EQ(to_text({"127.0.0.1", 11435}), "127.0.0.1:11435");
  EXPECT_EQ(to_text({"::1", 11435}), "[::1]:11435");
}

TEST(ParseEndpoint, ReadsHostAndPortOrUrl) {
  EXPECT_EQ(*parse_endpoint("box:8080"), (Endpoint{"box", 8080, false, ""}));
  EXPECT_EQ(*parse_endpoint("box"), (Endpoint{"box", kDefaultPort, false, ""}));
  EXPECT_EQ(*parse_endpoint(":8080"), (Endpoint{"127.0.0.1", 8080, false, ""}));
  EXPECT_EQ(*parse_endpoint("[::1]:8080"), (Endpoint{"::1", 8080, false, ""}));
  EXPECT_EQ(*parse_endpoint("http://box:11435/"), (Endpoint{"box", 11435, false, ""}));
  EXPECT_EQ(*parse_endpoint("http://box"), (Endpoint{"box", 80, false, ""}));
  EXPECT_EQ(*parse_endpoint("https://box/llm/"), (Endpoint{"box", 443, true, "/llm"}));
}

TEST(ParseEndpoint, RefusesWhatIsNoServer) {
  for (const char* text : {"", "http://", "ftp://box", "box:0", "box:x", "http://me@box/", "a b:1",
                           "http://box/?q=1", "http://[::1", "box:1:2"}) {
    EXPECT_FALSE(parse_endpoint(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace hf::config
