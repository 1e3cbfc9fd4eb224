#include "config/difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace hf::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kAnn =
    "[[users]]\nname = \"ann\"\n"
    "key_sha256 = \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"\n";
constexpr std::string_view kBob =
    "[[users]]\nname = \"bob\"\n"
    "key_sha256 = \"1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"\n";

Config read(const std::string& text) {
  Environment environment;
  environment.directory = "/nowhere";
  environment.home = "/home/me";
  auto config = parse_config(text, "/etc/hf/holdfast.toml", {}, environment);
  EXPECT_TRUE(config) << config.error().front().text();
  return config ? *config : Config{};
}

Difference between(const std::string& running, const std::string& wanted) {
  return difference(read(running), read(wanted));
}

TEST(Difference, OfTheSameIsNothing) {
  const std::string text = "[queue]\npatience = \"5s\"\n[models.a]\nttl = \"1h\"\n";
  const Difference same = between(text, text + "# a remark\n");
  EXPECT_THAT(same.settings, IsEmpty());
  EXPECT_THAT(same.models, IsEmpty());
  EXPECT_THAT(same.restart_needed, IsEmpty());
}

TEST(Difference, NamesSettingsAsInTheFileAndInItsOrder) {
  const Difference changed = between(
      "", "drain = \"5s\"\n[log]\nlanguage = \"ru\"\n[queue]\npatience = \"5s\"\n" +
              std::string(kAnn) + "[defaults]\nttl = \"1h\"\n[engine]\nloads_at_once = 2\n");
  EXPECT_THAT(changed.settings, ElementsAre("drain", "queue.patience", "engine.loads_at_once",
                                            "defaults.ttl", "users", "log.language"));
  EXPECT_THAT(changed.restart_needed, IsEmpty());
}

TEST(Difference, ADefaultThatIsWrittenOutIsNoChange) {
  EXPECT_THAT(between("", "[queue]\npatience = \"30s\"\n").settings, IsEmpty());
}

TEST(Difference, KnowsWhatIsReadAtTheStartOnly) {
  const Difference changed =
      between("",
              "listen = \"127.0.0.1:1\"\n[memory]\nproc_root = \"/x\"\n[engine]\nllama_server = "
              "\"x\"\n[store]\npath = \"/x/h\"\njournal = \"/x/j\"\n");
  EXPECT_THAT(changed.settings, IsEmpty());
  EXPECT_THAT(changed.restart_needed,
              ElementsAre("listen", "memory.proc_root", "engine.llama_server", "store.path",
                          "store.journal"));
}

TEST(Difference, NamesTheKeysOfAModel) {
  const Difference changed =
      between("[models.a]\nttl = \"1h\"\n[models.b]\n[models.gone]\n",
              "[models.a]\nttl = \"2h\"\naliases = [\"x\"]\n[models.b]\n[models.new]\n");
  EXPECT_THAT(changed.models, ElementsAre("models.\"a\".aliases", "models.\"a\".ttl",
                                          "models.\"gone\"", "models.\"new\""));
}

TEST(Difference, WhatAModelInheritsIsNamedOnce) {
  const Difference changed =
      between("[models.a]\n[models.b]\nparallel = 4\n[models.c]\nttl = \"1h\"",
              "[defaults]\nparallel = 2\n[models.a]\n[models.b]\nparallel = "
              "4\n[models.c]\nttl = \"1h\"\nparallel = 2\n");
  EXPECT_THAT(changed.settings, ElementsAre("defaults.parallel"));
  EXPECT_THAT(changed.models, IsEmpty()) << "a and c follow the defaults, b is as it was";
}

TEST(Difference, TheOrderOfUsersIsNone) {
  const std::string ann(kAnn);
  const std::string bob(kBob);
  EXPECT_THAT(between(ann + bob, bob + ann).settings, IsEmpty());
  EXPECT_THAT(between(ann + bob, bob).settings, ElementsAre("users"));
  EXPECT_THAT(between(ann, ann + "role = \"admin\"\n").settings, ElementsAre("users"));
}

TEST(Adopt, TakesEverythingButWhatIsReadAtTheStart) {
  const Config running = read("listen = \"127.0.0.1:1\"\n[store]\npath = \"/x/old\"\n");
  const auto adopted = adopt(running, read("listen = \"127.0.0.1:2\"\n[store]\npath = "
                                           "\"/x/new\"\n[queue]\npatience = \"5s\"\n"));
  ASSERT_TRUE(adopted);
  EXPECT_EQ(adopted->listen, running.listen);
  EXPECT_EQ(adopted->store.path, "/x/old");
  EXPECT_EQ(adopted->queue.patience, std::chrono::seconds(5));
}

TEST(Adopt, NeverLeavesAnOpenPortWithoutKeys) {
  const Config running = read("listen = \"0.0.0.0:1\"\n" + std::string(kAnn));
  const auto adopted = adopt(running, read("listen = \"127.0.0.1:1\"\n"));
  ASSERT_FALSE(adopted);
  EXPECT_EQ(adopted.error().code, Errc::InvalidArgument);
  EXPECT_THAT(adopted.error().message, HasSubstr("0.0.0.0:1"));
  EXPECT_TRUE(adopt(running, read("listen = \"127.0.0.1:1\"\n" + std::string(kBob))));
}

}  // namespace
}  // namespace hf::config
