#include "api/site.h"

#include <gtest/gtest.h>

namespace hf::api {
namespace {

net::RequestHead head(std::string method, std::vector<net::Header> headers) {
  net::RequestHead h;
  h.method = std::move(method);
  h.path = "/x";
  h.headers = std::move(headers);
  return h;
}

config::Config open_config() {
  config::Config config;
  config.listen = {{"127.0.0.1", 11435}, {"192.168.7.2", 11435}};
  return config;
}

config::Config keyed_config() {
  config::Config config = open_config();
  config.users.push_back({"ann", std::string(64, 'a'), config::Role::User, {}});
  return config;
}

config::Config with_origins(std::vector<std::string> origins) {
  config::Config config = open_config();
  config.cors_origins = std::move(origins);
  return config;
}

std::string header(const std::vector<net::Header>& headers, std::string_view name) {
  std::string value;
  for (const net::Header& each : headers) {
    if (net::header_equals(each.name, name)) {
      EXPECT_EQ(value, "") << name << " is there twice";
      value = each.value;
    }
  }
  return value;
}

TEST(HostOf, TakesPortAndBracketsOff) {
  EXPECT_EQ(host_of("localhost:11435"), "localhost");
  EXPECT_EQ(host_of("LocalHost"), "localhost");
  EXPECT_EQ(host_of("[::1]:80"), "::1");
  EXPECT_EQ(host_of("[::1]"), "::1");
  EXPECT_EQ(host_of("::1"), "::1");
  EXPECT_EQ(host_of("[::1"), "");
  EXPECT_EQ(host_of(""), "");
}

TEST(SiteCheck, AcceptsOwnNames) {
  const config::Config config = open_config();
  const Site site(config);
  for (const char* host : {"localhost", "LOCALHOST:1", "127.0.0.1:11435", "127.8.9.1",
                           "[::1]:11435", "192.168.7.2:11435", ""}) {
    EXPECT_FALSE(site.check(head("GET", {{"Host", host}}))) << host;
  }
  EXPECT_FALSE(site.check(head("GET", {})));
}

TEST(SiteCheck, RefusesForeignHostNames) {
  const config::Config config = open_config();
  const Site site(config);
  for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80",
                           "10.0.0.1", "192.168.7.3", "[::2]", "127.1", "0x7f.1"}) {
    const auto error = site.check(head("GET", {{"Host", host}}));
    ASSERT_TRUE(error) << host;
    EXPECT_EQ(error->status, 403);
    EXPECT_EQ(error->code, "wrong_host");
  }
}

TEST(SiteCheck, ListeningOnAllAddressesTakesAnyNumericOne) {
  config::Config config = open_config();
  config.listen = {{"0.0.0.0", 11435}};
  const Site site(config);
  EXPECT_FALSE(site.check(head("GET", {{"Host", "10.1.2.3:11435"}})));
  EXPECT_TRUE(site.check(head("GET", {{"Host", "evil.example"}})));
}

TEST(SiteCheck, WithKeysAnyHostName) {
  const config::Config config = keyed_config();
  EXPECT_FALSE(Site(config).check(head("GET", {{"Host", "models.example"}})));
}

TEST(SiteCheck, PostsFromOtherPagesAreRefused) {
  const config::Config config = open_config();
  const Site site(config);
  for (const char* origin : {"http://evil.example", "null", "https://localhost.evil.example", "x",
                             "http://", "file://"}) {
    const auto error = site.check(head("POST", {{"Host", "localhost:11435"}, {"Origin", origin}}));
    ASSERT_TRUE(error) << origin;
    EXPECT_EQ(error->code, "cross_site");
    EXPECT_FALSE(site.check(head("GET", {{"Host", "localhost:11435"}, {"Origin", origin}})));
  }
}

TEST(SiteCheck, PostsFromOwnPagesAreFine) {
  const config::Config config = open_config();
  const Site site(config);
  for (const char* origin :
       {"http://localhost:11435", "http://127.0.0.1:11435", "http://localhost:3000"}) {
    EXPECT_FALSE(site.check(head("POST", {{"Host", "localhost:11435"}, {"Origin", origin}})));
  }
  EXPECT_FALSE(site.check(
      head("POST", {{"Host", "192.168.7.2:11435"}, {"Origin", "http://192.168.7.2:11435"}})));
}

TEST(SiteCheck, AcceptsTheNamesByWhichContainersCallTheirHost) {
  const config::Config config = open_config();
  const Site site(config);
  EXPECT_FALSE(site.check(head("POST", {{"Host", "host.docker.internal:11435"}})));
  EXPECT_FALSE(site.check(head("POST", {{"Host", "host.containers.internal:11435"}})));
  EXPECT_TRUE(site.check(head("POST", {{"Host", "docker.internal"}})));
  EXPECT_TRUE(site.check(head("POST", {{"Host", "host.docker.internal.evil.example"}})));
}

TEST(SiteCheck, AcceptsNamesOfTheConfiguration) {
  config::Config config = open_config();
  config.allowed_hosts = {"box.lan"};
  const Site site(config);
  EXPECT_FALSE(site.check(head("GET", {{"Host", "Box.lan:11435"}})));
  EXPECT_TRUE(site.check(head("GET", {{"Host", "x.box.lan:11435"}})));
}

TEST(SiteCheck, AnotherSitesWebSocketIsRefusedAlthoughItBeginsWithGet) {
  const config::Config config = open_config();
  const auto error = Site(config).check(head(
      "GET",
      {{"Host", "localhost:11435"}, {"Origin", "https://evil.example"}, {"Upgrade", "websocket"}}));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, "cross_site");
}

TEST(SiteCheck, AllowedOriginsMayPost) {
  const config::Config config = with_origins({"https://chat.example", "app://obsidian.md"});
  const Site site(config);
  const auto post = [&site](const char* origin) {
    return site.check(head("POST", {{"Host", "localhost:11435"}, {"Origin", origin}}));
  };
  EXPECT_FALSE(post("https://chat.example"));
  EXPECT_FALSE(post("app://obsidian.md"));
  EXPECT_TRUE(post("http://chat.example"));
  EXPECT_TRUE(post("https://chat.example:8443"));
  EXPECT_TRUE(post("null"));
}

TEST(SiteCheck, AnAllowedOriginDoesNotExcuseAWrongHost) {
  const config::Config config = with_origins({"https://chat.example"});
  const auto error = Site(config).check(
      head("POST", {{"Host", "chat.example"}, {"Origin", "https://chat.example"}}));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, "wrong_host");
}

TEST(Preflight, IsAnsweredForAllowedOriginsOnly) {
  const config::Config config = with_origins({"https://chat.example"});
  const Site site(config);
  const auto ask = [](std::string origin, std::vector<net::Header> more = {}) {
    std::vector<net::Header> headers{{"Host", "localhost"},
                                     {"Origin", std::move(origin)},
                                     {"Access-Control-Request-Method", "POST"}};
    headers.insert(headers.end(), more.begin(), more.end());
    return head("OPTIONS", std::move(headers));
  };
  const auto reply = site.preflight(
      ask("https://chat.example",
          {{"Access-Control-Request-Headers", "authorization,content-type,x-stainless-os"}}));
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 204);
  EXPECT_NE(header(reply->headers, "access-control-allow-methods").find("POST"), std::string::npos);
  EXPECT_EQ(header(reply->headers, "access-control-allow-headers"),
            "authorization,content-type,x-stainless-os");
  EXPECT_EQ(header(reply->headers, "access-control-max-age"), "600");
  EXPECT_EQ(header(reply->headers, "access-control-allow-private-network"), "");
  EXPECT_EQ(header(site.preflight(ask("https://chat.example",
                                      {{"Access-Control-Request-Private-Network", "true"}}))
                       ->headers,
                   "access-control-allow-private-network"),
            "true");

  EXPECT_FALSE(site.preflight(ask("https://evil.example")));
  EXPECT_EQ(site.check(ask("https://evil.example"))->code, "cross_site");
  EXPECT_FALSE(site.check(ask("https://chat.example")));
  EXPECT_FALSE(site.preflight(head("OPTIONS", {{"Origin", "https://chat.example"}})));
  EXPECT_FALSE(site.preflight(head("GET", {{"Origin", "https://chat.example"}})));
}

TEST(Preflight, RepeatsNoHeadersThatLookWrong) {
  const config::Config config = with_origins({"https://chat.example"});
  for (const std::string& wanted :
       {std::string("x\ty"), std::string("a: b"), std::string("<x>"), std::string(5000, 'a')}) {
    const auto reply =
        Site(config).preflight(head("OPTIONS", {{"Origin", "https://chat.example"},
                                                {"Access-Control-Request-Method", "POST"},
                                                {"Access-Control-Request-Headers", wanted}}));
    ASSERT_TRUE(reply);
    EXPECT_TRUE(
        header(reply->headers, "access-control-allow-headers").starts_with("authorization"));
  }
}

TEST(SiteHeaders, LetAllowedOriginsReadTheAnswer) {
  const config::Config config = with_origins({"https://chat.example"});
  const Site site(config);
  const auto allowed = site.headers(head("GET", {{"Origin", "https://chat.example"}}));
  EXPECT_EQ(header(allowed, "access-control-allow-origin"), "https://chat.example");
  EXPECT_EQ(header(allowed, "access-control-expose-headers"), "*");
  EXPECT_EQ(header(allowed, "vary"), "Origin");
  for (const auto& other : {site.headers(head("GET", {{"Origin", "https://evil.example"}})),
                            site.headers(head("GET", {}))}) {
    EXPECT_EQ(header(other, "access-control-allow-origin"), "");
    EXPECT_EQ(header(other, "vary"), "Origin") << "a cache must not give it to an allowed one";
  }
}

TEST(SiteHeaders, AreNoneUnlessConfigured) {
  const config::Config config = open_config();
  EXPECT_TRUE(Site(config).headers(head("GET", {{"Origin", "http://localhost"}})).empty());
}

TEST(SiteHeaders, EveryOriginIsNotRepeated) {
  config::Config config = keyed_config();
  config.cors_origins = {"*"};
  const Site site(config);
  for (const char* origin : {"https://anybody.example", "null"}) {
    const net::RequestHead post = head("POST", {{"Origin", origin}});
    EXPECT_FALSE(site.check(post));
    EXPECT_EQ(header(site.headers(post), "access-control-allow-origin"), "*");
  }
}

}  // namespace
}  // namespace hf::api
