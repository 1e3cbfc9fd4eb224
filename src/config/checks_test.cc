#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace hf::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::vector<std::string> mistakes(std::string_view text) {
  const auto config = parse_config(text, "a.toml");
  std::vector<std::string> texts;
  if (!config) {
    for (const ConfigError& error : config.error()) {
      texts.push_back(error.text());
    }
  }
  return texts;
}

constexpr std::string_view kUser =
    "[[users]]\nname = \"ann\"\n"
    "key_sha256 = \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"\n";

TEST(Marks, MustAscend) {
  EXPECT_THAT(mistakes("[memory]\nlow = 92\n"),
              ElementsAre("a.toml:2:7: memory.low: the low mark is not below the high one (low 92, "
                          "high 90, critical 95), expected low < high < critical"));
  EXPECT_THAT(mistakes("[memory]\nhigh = 95\n"), SizeIs(1));
  EXPECT_THAT(mistakes("[memory]\ncritical = 101\n").at(0), HasSubstr("out of range"));
  EXPECT_THAT(mistakes("[memory]\nlow = 50\nhigh = 60\ncritical = 70\n"), IsEmpty());
}

TEST(Marks, AreNotComparedWhenOneCannotBeRead) {
  EXPECT_THAT(mistakes("[memory]\nlow = \"x\"\nhigh = 80\n"), SizeIs(1));
}

TEST(Listen, PublicAddressNeedsAUser) {
  const std::string open = "listen = \"0.0.0.0:11435\"\n";
  const auto found = mistakes(open);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0], StartsWith("a.toml:1:10: listen: 0.0.0.0:11435 is reachable from other "
                                   "machines"));
  EXPECT_THAT(mistakes(open + std::string(kUser)), IsEmpty());
  EXPECT_THAT(mistakes("listen = \"127.3.4.5:1\"\n"), IsEmpty());
}

TEST(Tls, NeedsBothFiles) {
  EXPECT_THAT(mistakes("[tls]\ncertificate = \"c.pem\"\n"),
              ElementsAre("a.toml:2:15: tls.certificate: its key is missing, expected tls.key"));
  EXPECT_THAT(mistakes("[tls]\nkey = \"k.pem\"\n"),
              ElementsAre("a.toml:2:7: tls.key: its certificate is missing, expected "
                          "tls.certificate"));
  EXPECT_THAT(mistakes("[tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n"), IsEmpty());
}

TEST(Tls, FilesAreBesideTheConfiguration) {
  const auto config =
      parse_config("[tls]\ncertificate = \"c.pem\"\nkey = \"/k.pem\"\n", "/etc/h/a.toml");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->tls.certificate, "/etc/h/c.pem");
  EXPECT_EQ(config->tls.key, "/k.pem");
}

TEST(Preload, IsInTheOrderOfTheFile) {
  const auto config = parse_config(
      "[models.b]\npreload = true\n[models.c]\n[models.\"a:latest\"]\npreload = true\n", "a.toml");
  ASSERT_TRUE(config);
  EXPECT_THAT(config->preload, ElementsAre("b", "a"));
}

TEST(Preload, IsAModelsOwnAndNotForAPinnedOne) {
  EXPECT_THAT(mistakes("[models.a]\npin = true\npreload = true\n"),
              ElementsAre(StartsWith("a.toml:3:11: models.\"a\".preload: the model is pinned")));
  EXPECT_THAT(mistakes("[defaults]\npin = true\n[models.a]\npreload = true\n"), SizeIs(1));
  EXPECT_THAT(mistakes("[defaults]\npreload = true\n").at(0),
              HasSubstr("expected in [models.\"NAME\"]"));
}

TEST(Names, AliasesMustBeUniqueAndNobodysName) {
  EXPECT_THAT(mistakes("[models.a]\naliases = [\"b\"]\n[models.b]\n").at(0),
              HasSubstr("\"b\" already belongs to models.\"b\""));
  EXPECT_THAT(mistakes("[models.a]\naliases = [\"x\"]\n[models.b]\naliases = [\"x:latest\"]\n"),
              SizeIs(1));
  EXPECT_THAT(mistakes("[models.a]\naliases = [\"a\"]\n"), SizeIs(1));
  EXPECT_THAT(mistakes("[models.a]\n[models.\"a:latest\"]\n").at(0), HasSubstr("has two tables"));
}

TEST(Names, AreFitForUrlsAndLogs) {
  for (const char* name : {"", "a b", "/a", "a/", "a//b", "../a", "a/../b", "a\\tb"}) {
    EXPECT_THAT(mistakes("[models.\"" + std::string(name) + "\"]\n"), SizeIs(1)) << name;
  }
  EXPECT_THAT(mistakes("[models.\"Org/qwen3:8b-Q4_K.x\"]\n"), IsEmpty());
}

TEST(Args, MayNotOverrideWhatHoldfastSets) {
  const auto found = mistakes(
      "[defaults]\nargs = [\"--host\", \"0.0.0.0\"]\n[models.a]\nargs = [\"-c\", \"9\"]\n"
      "[models.b]\n");
  ASSERT_THAT(found, SizeIs(2));  // [models.b] inherits the list, the mistake is told once
  EXPECT_THAT(found[0], StartsWith("a.toml:2:8: defaults.args: --host may not stand in args"));
  EXPECT_THAT(found[1], StartsWith("a.toml:4:8: models.\"a\".args: -c may not stand in args: use "
                                   "`context`"));
}

TEST(CacheTypes, OfFewBitsNeedFlashAttention) {
  const std::string off = "args = [\"--flash-attn\", \"off\"]\n";
  EXPECT_THAT(mistakes("[models.a]\n" + off), IsEmpty());
  EXPECT_THAT(mistakes("[models.a]\ncache_type_v = \"q8_0\"\n"), IsEmpty());
  EXPECT_THAT(mistakes("[models.a]\ncache_type_k = \"q8_0\"\n" + off), IsEmpty());
  EXPECT_THAT(mistakes("[models.a]\ncache_type_v = \"q8_0\"\n" + off).at(0),
              HasSubstr("flash attention"));
  EXPECT_THAT(mistakes("[defaults]\n" + off + "[models.a]\ncache_type_v = \"q4_0\"\n"), SizeIs(1));
  EXPECT_THAT(mistakes("[defaults]\ncache_type_v = \"q4_0\"\n" + off + "[models.a]\n"), SizeIs(1));
  EXPECT_THAT(mistakes("[models.a]\ncache_type_k = \"q9\"\n").at(0), HasSubstr("q8_0"));
}

TEST(Users, NeedNamesAndKeysOfTheirOwn) {
  EXPECT_THAT(mistakes("[[users]]\n"), SizeIs(2));
  EXPECT_THAT(mistakes("[[users]]\nname = \"x\"\nkey_sha256 = \"abc\"\n").at(0),
              HasSubstr("expected 64 hexadecimal digits"));
  const auto twice = mistakes(std::string(kUser) + std::string(kUser));
  ASSERT_THAT(twice, SizeIs(2));
  EXPECT_THAT(twice[0], StartsWith("a.toml:5:8: users[2].name: \"ann\" is there twice"));
  EXPECT_THAT(twice[1], HasSubstr("another user has the same key"));
}

TEST(Users, HaveNamesThatATerminalMayShow) {
  const std::string key = std::string(kUser).substr(std::string(kUser).find("key_sha256"));
  for (const std::string name : {"", "\\u001b[2J", "a\\tb", "a\\u007f"}) {
    const auto found = mistakes("[[users]]\nname = \"" + name + "\"\n" + key);
    ASSERT_THAT(found, SizeIs(1)) << name;
    EXPECT_THAT(found[0], StartsWith("a.toml:2:8: users[1].name: "));
  }
  EXPECT_THAT(mistakes("[[users]]\nname = \"Änne B.\"\n" + key), IsEmpty());
  EXPECT_THAT(mistakes("[[users]]\nname = \"" + std::string(101, 'x') + "\"\n" + key),
              ElementsAre(HasSubstr("longer than 100 bytes")));
}

TEST(Web, HostsAreNamesWithoutSchemeAndPort) {
  EXPECT_THAT(mistakes("allowed_hosts = [\"Box.lan\", \"10.0.0.7\", \"[fe80::1]\"]\n"), IsEmpty());
  EXPECT_EQ(parse_config("allowed_hosts = [\"Box.LAN\"]\n", "a.toml")->allowed_hosts,
            std::vector<std::string>{"box.lan"});
  for (const char* host : {"http://box.lan", "box.lan:80", "box.lan:", "*", "", "box lan", "a/b"}) {
    const auto found = mistakes("allowed_hosts = [\"" + std::string(host) + "\"]\n");
    ASSERT_THAT(found, SizeIs(1)) << host;
    EXPECT_THAT(found[0], StartsWith("a.toml:1:17: allowed_hosts: "));
  }
}

TEST(Web, OriginsAreWhole) {
  EXPECT_THAT(mistakes("cors_origins = [\"https://chat.example\", \"http://localhost:*\"]\n"),
              IsEmpty());
  EXPECT_THAT(mistakes("cors_origins = [\"https://chat.example/\"]\n").at(0),
              HasSubstr("no slash at its end"));
  EXPECT_THAT(mistakes("cors_origins = [\"https://*\"]\n"), SizeIs(1));
}

TEST(Web, EveryOriginNeedsKeys) {
  const std::string all = "cors_origins = [\"*\"]\n";
  EXPECT_THAT(mistakes(all).at(0), HasSubstr("without keys"));
  EXPECT_THAT(mistakes(all + std::string(kUser)), IsEmpty());
}

TEST(Files, JournalAndHistoryDiffer) {
  EXPECT_THAT(mistakes("[store]\npath = \"/x/h\"\njournal = \"/x/y/../h\"\n").at(0),
              HasSubstr("store.journal: the history is in the same file"));
}

}  // namespace
}  // namespace hf::config
