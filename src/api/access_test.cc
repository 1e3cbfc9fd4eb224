#include "api/access.h"

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
  config::UserConfig user;
  user.name = "ann";
  // SHA-256 of "abc", FIPS 180-4's first example.
  user.key_sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  user.max_active = 2;
  config.users.push_back(user);
  user.name = "root";
  // SHA-256 of the empty string: must not be matched by a missing key.
  user.key_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  user.role = config::Role::Admin;
  config.users.push_back(user);
  return config;
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

TEST(CheckSite, AcceptsOwnNames) {
  const config::Config config = open_config();
  const Access access(config);
  for (const char* host : {"localhost", "LOCALHOST:1", "127.0.0.1:11435", "127.8.9.1",
                           "[::1]:11435", "192.168.7.2:11435", ""}) {
    EXPECT_FALSE(access.check_site(head("GET", {{"Host", host}}))) << host;
  }
  EXPECT_FALSE(access.check_site(head("GET", {})));
}

TEST(CheckSite, RefusesForeignHostNames) {
  const config::Config config = open_config();
  const Access access(config);
  for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80",
                           "10.0.0.1", "192.168.7.3", "[::2]", "127.1", "0x7f.1"}) {
    const auto error = access.check_site(head("GET", {{"Host", host}}));
    ASSERT_TRUE(error) << host;
    EXPECT_EQ(error->status, 403);
    EXPECT_EQ(error->code, "wrong_host");
  }
}

TEST(CheckSite, ListeningOnAllAddressesTakesAnyNumericOne) {
  config::Config config = open_config();
  config.listen = {{"0.0.0.0", 11435}};
  const Access access(config);
  EXPECT_FALSE(access.check_site(head("GET", {{"Host", "10.1.2.3:11435"}})));
  EXPECT_TRUE(access.check_site(head("GET", {{"Host", "evil.example"}})));
}

TEST(CheckSite, WithKeysAnyHostName) {
  const config::Config config = keyed_config();
  EXPECT_FALSE(Access(config).check_site(head("GET", {{"Host", "models.example"}})));
}

TEST(CheckSite, PostsFromOtherPagesAreRefused) {
  const config::Config config = open_config();
  const Access access(config);
  for (const char* origin : {"http://evil.example", "null", "https://localhost.evil.example", "x",
                             "http://", "file://"}) {
    const auto error =
        access.check_site(head("POST", {{"Host", "localhost:11435"}, {"Origin", origin}}));
    ASSERT_TRUE(error) << origin;
    EXPECT_EQ(error->code, "cross_site");
    EXPECT_FALSE(access.check_site(head("GET", {{"Host", "localhost:11435"}, {"Origin", origin}})));
  }
}

TEST(CheckSite, PostsFromOwnPagesAreFine) {
  const config::Config config = open_config();
  const Access access(config);
  for (const char* origin :
       {"http://localhost:11435", "http://127.0.0.1:11435", "http://localhost:3000"}) {
    EXPECT_FALSE(
        access.check_site(head("POST", {{"Host", "localhost:11435"}, {"Origin", origin}})));
  }
  EXPECT_FALSE(access.check_site(
      head("POST", {{"Host", "192.168.7.2:11435"}, {"Origin", "http://192.168.7.2:11435"}})));
}

TEST(Identify, WithoutKeysEverybodyMayDoEverything) {
  const config::Config config = open_config();
  const Caller caller = Access(config).identify(head("GET", {}));
  EXPECT_TRUE(caller.known);
  EXPECT_TRUE(caller.admin);
  EXPECT_EQ(caller.user, UserId(0));
}

TEST(Identify, ByBearerOrApiKey) {
  const config::Config config = keyed_config();
  const Access access(config);
  for (const net::Header& header :
       {net::Header{"Authorization", "Bearer abc"}, net::Header{"authorization", "bearer  abc"},
        net::Header{"X-Api-Key", "abc"}}) {
    const Caller caller = access.identify(head("GET", {header}));
    EXPECT_TRUE(caller.known) << header.name << header.value;
    EXPECT_EQ(caller.name, "ann");
    EXPECT_EQ(caller.user, UserId(1));
    EXPECT_FALSE(caller.admin);
    EXPECT_EQ(caller.max_active, 2);
  }
}

TEST(Identify, WrongOrMissingKeyIsNobody) {
  const config::Config config = keyed_config();
  const Access access(config);
  EXPECT_FALSE(access.identify(head("GET", {})).known);
  EXPECT_FALSE(access.identify(head("GET", {{"Authorization", "Bearer "}})).known);
  EXPECT_FALSE(access.identify(head("GET", {{"Authorization", "Bearer abcd"}})).known);
  EXPECT_FALSE(access.identify(head("GET", {{"Authorization", "Basic abc"}})).known);
  EXPECT_FALSE(access.identify(head("GET", {{"x-api-key", ""}})).known);
}

TEST(Identify, FollowsANewConfigurationAndKeepsIds) {
  const config::Config before = keyed_config();
  config::Config after = before;
  after.users.erase(after.users.begin());
  Access access(before);
  const Caller ann = access.identify(head("GET", {{"x-api-key", "abc"}}));
  ASSERT_TRUE(ann.known);
  access.use(after);
  EXPECT_FALSE(access.identify(head("GET", {{"x-api-key", "abc"}})).known) << "its key is gone";
  after.users.insert(after.users.begin(), before.users.front());
  after.users.front().name = "eve";
  access.use(after);
  const Caller eve = access.identify(head("GET", {{"x-api-key", "abc"}}));
  ASSERT_TRUE(eve.known);
  EXPECT_NE(eve.user, ann.user) << "what was counted for another user is not hers";
  access.use(before);
  EXPECT_EQ(access.identify(head("GET", {{"x-api-key", "abc"}})).user, ann.user);
}

}  // namespace
}  // namespace hf::api
