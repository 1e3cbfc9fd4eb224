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

TEST(Identify, WithoutKeysEverybodyMayDoEverything) {
  const config::Config config = open_config();
  const Caller caller = Access(config).identify(head("GET", {}));
  EXPECT_TRUE(caller.known);
  EXPECT_TRUE(caller.is(config::Role::Admin));
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
    EXPECT_TRUE(caller.is(config::Role::User));
    EXPECT_FALSE(caller.is(config::Role::Operator));
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
  EXPECT_FALSE(access.identify(head("GET", {{"api-key", "abc"}})).known);
}

TEST(Identify, OneGoodKeyOfTwoIsEnough) {
  config::Config config = keyed_config();
  config.users[1].key_sha256 = to_hex(hash_of_key("toor"));
  const Access access(config);
  const auto name_by = [&access](std::string bearer, std::string key) {
    return access
        .identify(
            head("GET", {{"Authorization", std::move(bearer)}, {"x-api-key", std::move(key)}}))
        .name;
  };
  EXPECT_EQ(name_by("Bearer abc", "wrong"), "ann");
  EXPECT_EQ(name_by("Bearer wrong", "abc"), "ann");
  EXPECT_EQ(name_by("Basic YTpi", "abc"), "ann") << "a proxy's own credentials";
  EXPECT_EQ(name_by("Bearer abc", "toor"), "ann") << "the first of two good ones";
  EXPECT_EQ(name_by("Bearer toor", "abc"), "root");
  EXPECT_EQ(name_by("Bearer wrong", "wrong"), "");
}

TEST(Identify, ARoleMayWhatTheOnesBeforeItMay) {
  config::Config config = keyed_config();
  config.users[0].role = config::Role::Operator;
  const Caller caller = Access(config).identify(head("GET", {{"x-api-key", "abc"}}));
  EXPECT_TRUE(caller.is(config::Role::User));
  EXPECT_TRUE(caller.is(config::Role::Operator));
  EXPECT_FALSE(caller.is(config::Role::Admin));
  EXPECT_FALSE(Caller{}.is(config::Role::User)) << "nobody may anything";
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
