#include "engine/command_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/command_line.h"

namespace hf::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Placeholders kValues{"/run/x.sock", 4711, "/m/a.bin", "team/a:1"};

CommandPlan plan(std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
  CommandPlan made;
  made.program = "/bin/engine";
  made.arguments = std::move(arguments);
  made.environment = std::move(environment);
  made.ready = "/health";
  return made;
}

TEST(FilledIn, ReplacesEachPlaceholderWhereverItStands) {
  EXPECT_EQ(filled_in("{port}", kValues), "4711");
  EXPECT_EQ(filled_in("unix:{socket},{name}={model}", kValues),
            "unix:/run/x.sock,team/a:1=/m/a.bin");
  EXPECT_EQ(filled_in("{port}{port}", kValues), "47114711");
  EXPECT_THAT(filled_in(std::vector<std::string>{"--port", "{port}"}, kValues),
              ElementsAre("--port", "4711"));
}

TEST(FilledIn, LeavesOtherBracesAlone) {
  for (const char* text : {R"({"model": {"port": 1}})", "{ports}", "{}", "{port", "port}", ""}) {
    EXPECT_EQ(filled_in(text, kValues), text);
  }
  EXPECT_EQ(filled_in(R"({"a": "{port}"})", kValues), R"({"a": "4711"})");
}

TEST(FilledIn, WhatIsFilledInIsNotReadAgain) {
  EXPECT_EQ(filled_in("{name}", {"", 1, "", "{port}"}), "{port}");
}

TEST(CommandPlan, ListensWhereAWordSaysSo) {
  EXPECT_TRUE(plan({"--port={port}"}).on_port());
  EXPECT_TRUE(plan({}, {"PORT={port}"}).on_port());
  EXPECT_FALSE(plan({"--uds", "{socket}"}).on_port());
}

TEST(CommandEnvironment, HoldsOursTheCardsAndTheAdministratorsLast) {
  CommandPlan made = plan({}, {"HOME=/srv/vllm", "MODEL={model}", "HF_HUB_OFFLINE=1"});
  made.cards = {"CUDA_VISIBLE_DEVICES=1"};
  EXPECT_THAT(command_environment(made, {"/usr/bin", "/root", std::nullopt}, kValues),
              ElementsAre("LANG=C.UTF-8", "PATH=/usr/bin", "HOME=/srv/vllm",
                          "CUDA_VISIBLE_DEVICES=1", "MODEL=/m/a.bin", "HF_HUB_OFFLINE=1"));
  made.environment = {"CUDA_VISIBLE_DEVICES=0,1"};
  EXPECT_THAT(command_environment(made, {}, kValues),
              ElementsAre("LANG=C.UTF-8", "CUDA_VISIBLE_DEVICES=0,1"));
}

TEST(Fingerprint, TellsPlansApartWithoutTheirWords) {
  const CommandPlan one = plan({"--api-key", "canary"}, {"A=1"});
  EXPECT_EQ(fingerprint(one), fingerprint(one));
  EXPECT_EQ(fingerprint(one).find("canary"), std::string::npos);
  std::vector<CommandPlan> others{plan({"--api-key", "canarz"}, {"A=1"}),
                                  plan({"--api-keycanary"}, {"A=1"}),
                                  plan({"--api-key", "canary", "A=1"}),
                                  one,
                                  one,
                                  one};
  others[3].ready = "/x";
  others[4].cards = {"CUDA_VISIBLE_DEVICES=1"};
  others[5].declared = core::Footprint::host(Bytes(5));
  for (const CommandPlan& other : others) {
    EXPECT_NE(fingerprint(other), fingerprint(one));
  }
}

TEST(Fingerprint, IsTheSameInEveryVersion) {
  // Measurements of earlier versions are found by it.
  EXPECT_EQ(fingerprint(plan({"--port", "{port}"})), "df7c89442d7e450d");
}

TEST(OptionsKey, OfACommandIsItsOwn) {
  RunPlan run;
  run.kind = ModelKind::Command;
  run.parallel = 2;
  run.command = plan({"--port", "{port}"});
  EXPECT_EQ(options_key(run), "command np=2 " + fingerprint(*run.command));
}

std::vector<Card> cards(std::initializer_list<const char*> names) {
  std::vector<Card> made;
  for (const char* name : names) {
    made.emplace_back().name = name;
  }
  return made;
}

TEST(OnlyCards, LeavesTheWantedOnesOfThoseThatWeSee) {
  const std::vector<Card> two = cards({"cuda0", "cuda1", "cuda2"});
  EXPECT_THAT(only_cards(two, {false, true, true}, {}),
              ElementsAre("CUDA_DEVICE_ORDER=PCI_BUS_ID", "CUDA_VISIBLE_DEVICES=1,2"));
  EXPECT_THAT(only_cards(two, {false, false, false}, {}),
              ElementsAre("CUDA_DEVICE_ORDER=PCI_BUS_ID", "CUDA_VISIBLE_DEVICES="));
  VisibleCards hidden;
  hidden.cuda = "3,GPU-aa,7";
  EXPECT_THAT(only_cards(two, {true, true, false}, hidden),
              ElementsAre("CUDA_DEVICE_ORDER=PCI_BUS_ID", "CUDA_VISIBLE_DEVICES=3,GPU-aa"));
}

TEST(OnlyCards, OfAmdAreNamedToHip) {
  EXPECT_THAT(only_cards(cards({"rocm0", "rocm1"}), {false, true}, {}),
              ElementsAre("HIP_VISIBLE_DEVICES=1"));
  VisibleCards hidden;
  hidden.rocr = "2,3";
  EXPECT_THAT(only_cards(cards({"rocm0"}), {false}, hidden),
              ElementsAre("HIP_VISIBLE_DEVICES=-1", "ROCR_VISIBLE_DEVICES=2,3"));
}

TEST(OnlyCards, WithoutOnesThatAreUnderstoodSaysNothing) {
  EXPECT_THAT(only_cards({}, {}, {}), IsEmpty());
  EXPECT_THAT(only_cards(cards({"vulkan0"}), {true}, {}), IsEmpty());
}

std::string hidden(const CommandPlan& made, std::string_view text) {
  return SecretWords(made.arguments, made.environment).hidden_in(text);
}

TEST(SecretWords, AreTakenOutOfWhatACommandPrints) {
  const CommandPlan made = plan({"--api-key", "s3cr3t", "--hf_token=hf_abc", "--max-tokens", "4096",
                                 "--tokenizer", "mistral"},
                                {"HF_TOKEN=tok1", "CACHE=/var/cache/vllm", "DEBUG=1", "KEY="});
  EXPECT_EQ(hidden(made, "args: api_key='s3cr3t', token=hf_abc, env tok1"),
            "args: api_key='***', token=***, env ***");
  EXPECT_EQ(hidden(made, "/var/cache/vllm/x"), "***/x");
  EXPECT_EQ(hidden(made, "max 4096 of mistral, 1"), "max 4096 of mistral, 1");
}

TEST(SecretWords, TheLongerOneGoesFirst) {
  const CommandPlan made = plan({}, {"A_KEY=abcd", "B_KEY=abcdefgh"});
  EXPECT_EQ(hidden(made, "abcdefgh abcd"), "*** ***");
}

TEST(SecretWords, PlaceholdersAreNone) {
  EXPECT_EQ(hidden(plan({}, {"SOCKET=unix:{socket}", "NAMES={model}{name}"}), "unix:/run/s a b"),
            "unix:/run/s a b");
}

TEST(SecretWords, BracesHideNothingFromThem) {
  const CommandPlan made =
      plan({"--api-key={name}:s3cr3t"},
           {"A_KEY=hunter2{x", R"(GCP={"private_key":"pem"})", "URL=postgres://u:pass@h/{name}"});
  EXPECT_EQ(hidden(made, "hunter2{x"), "***");
  EXPECT_EQ(hidden(made, R"(read {"private_key":"pem"})"), "read ***");
  EXPECT_EQ(hidden(made, R"({"GCP": "{\"private_key\":\"pem\"}"})"), R"({"GCP": "***"})");
  EXPECT_EQ(hidden(made, "at postgres://u:pass@h/w"), "at ***w");
  EXPECT_EQ(hidden(made, "key w:s3cr3t"), "key w***");
}

TEST(SecretWords, WithoutThemNothingChanges) {
  EXPECT_EQ(SecretWords().hidden_in("a line"), "a line");
}

}  // namespace
}  // namespace hf::engine
