#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/difference.h"
#include "config/load.h"

namespace hf::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using namespace std::chrono_literals;

// [models.w] with a command that listens on {port}, and further lines.
std::string whisper(std::string_view more = "bytes = \"1GiB\"\n") {
  return "[models.w]\ncommand = [\"whisper-server\", \"--port\", \"{port}\"]\n" + std::string(more);
}

tl::expected<Config, std::vector<ConfigError>> parsed(const std::string& text) {
  Environment environment;
  environment.directory = "/srv";
  environment.home = "/home/me";
  return parse_config(text, "/etc/hf/holdfast.toml", {}, environment);
}

ModelConfig good(const std::string& text) {
  const auto config = parsed(text);
  if (!config) {
    ADD_FAILURE() << config.error().front().text();
    return {};
  }
  return config->models.front();
}

std::vector<std::string> mistakes(const std::string& text) {
  const auto config = parsed(text);
  std::vector<std::string> messages;
  if (!config) {
    for (const ConfigError& error : config.error()) {
      messages.push_back(error.message);
    }
  }
  return messages;
}

TEST(Command, HasDefaultsForWhatNeedNotBeSaid) {
  const ModelConfig model = good(whisper());
  EXPECT_TRUE(model.is_command());
  EXPECT_THAT(model.command, ElementsAre("whisper-server", "--port", "{port}"));
  EXPECT_EQ(model.bytes, kGiB);
  EXPECT_THAT(model.gpu_bytes, IsEmpty());
  EXPECT_EQ(model.ready, "/health");
  EXPECT_EQ(model.load_within, 5min);
  EXPECT_EQ(model.longest_answer, 10min);
  EXPECT_EQ(model.parallel, 4);
  EXPECT_FALSE(good("[models.a]\n").is_command());
}

TEST(Command, TakesWhatOtherModelsTake) {
  const ModelConfig model =
      good(whisper("bytes = \"1GiB\"\npath = \"w.bin\"\naliases = [\"speech\"]\npin = true\n"
                   "priority = 3\nttl = \"1h\"\nparallel = 2\n"));
  EXPECT_EQ(model.path->filename(), "w.bin");
  EXPECT_TRUE(model.path->is_absolute());
  EXPECT_TRUE(model.pin);
  EXPECT_EQ(model.parallel, 2);
}

TEST(Command, ItsProgramIsFoundFromTheFilesFolderOrOnThePath) {
  const std::string rest = "[\"%\", \"{socket}\"]\nbytes = \"1MiB\"\n";
  const auto program = [&rest](const std::string& word) {
    std::string text = "[models.w]\ncommand = " + rest;
    return good(text.replace(text.find('%'), 1, word)).command.front();
  };
  EXPECT_EQ(program("vllm"), "vllm");
  EXPECT_EQ(program("./bin/vllm"), "/etc/hf/bin/vllm");
  EXPECT_EQ(program("~/venv/bin/vllm"), "/home/me/venv/bin/vllm");
  EXPECT_EQ(program("/opt/vllm"), "/opt/vllm");
}

TEST(Command, MustBeToldWhereToListen) {
  EXPECT_THAT(mistakes("[models.w]\ncommand = [\"x\"]\nbytes = 1\n"),
              ElementsAre(AllOf(HasSubstr("models.\"w\".command: neither {port} nor {socket}"),
                                HasSubstr("expected"))));
  EXPECT_THAT(mistakes("[models.w]\ncommand = [\"x\", \"{port}\", \"{socket}\"]\nbytes = 1\n"),
              ElementsAre(HasSubstr("both {port} and {socket}")));
  EXPECT_THAT(mistakes("[models.w]\ncommand = [\"x\"]\nenv = [\"PORT={port}\"]\nbytes = 1\n"),
              IsEmpty());
  EXPECT_THAT(mistakes("[models.w]\ncommand = []\nbytes = 1\n"),
              ElementsAre(HasSubstr("it is empty, expected a program")));
  EXPECT_THAT(mistakes("[models.w]\ncommand = [\"\", \"{port}\"]\nbytes = 1\n"),
              ElementsAre(HasSubstr("the program's name is empty")));
}

TEST(Command, ItsProgramHasNoPlaceholder) {
  EXPECT_THAT(mistakes("[models.w]\ncommand = [\"/opt/{name}/x\", \"{port}\"]\nbytes = 1\n"),
              ElementsAre(HasSubstr("a placeholder stands in the program's name")));
}

TEST(Command, MustDeclareItsBytes) {
  EXPECT_THAT(mistakes(whisper("")), ElementsAre(HasSubstr("expected `bytes`")));
  EXPECT_THAT(mistakes(whisper("bytes = 0\n")), ElementsAre(HasSubstr("nothing is reserved")));
  EXPECT_THAT(mistakes(whisper("bytes = \"much\"\n")), ElementsAre(HasSubstr("is not a size")));
  EXPECT_THAT(mistakes(whisper("bytes = 0\ngpu_bytes = \"20GiB\"\n")), IsEmpty());
}

TEST(Command, DeclaresBytesOfCardsOneByOneOrAlike) {
  const auto cards = [](std::string_view more) {
    return good(whisper("bytes = 1\n" + std::string(more))).gpu_bytes;
  };
  EXPECT_THAT(cards("gpu_bytes = \"20GiB\"\n"), ElementsAre(20 * kGiB));
  EXPECT_THAT(cards("gpu_bytes = [\"2GiB\", \"1GiB\"]\n"), ElementsAre(2 * kGiB, kGiB));
  EXPECT_THAT(cards("gpu_bytes = 7\ngpus = [0, 1]\n"), ElementsAre(Bytes(7)));
  EXPECT_THAT(mistakes(whisper("bytes = 1\ngpu_bytes = [1, 2]\ngpus = [0, 1, 2]\n")),
              ElementsAre(HasSubstr("it has 2 sizes, and gpus names 3 cards")));
  EXPECT_THAT(mistakes(whisper("bytes = 1\ngpus = [1]\n")),
              ElementsAre(HasSubstr("expected gpu_bytes as well")));
  EXPECT_THAT(mistakes(whisper("bytes = 1\ngpu_bytes = [\"x\"]\n")),
              ElementsAre(HasSubstr("\"x\" is not a size")));
}

TEST(Command, ItsModelNeedsAPath) {
  const std::string with_model =
      "[models.w]\ncommand = [\"x\", \"{port}\", \"{model}\"]\nbytes = 1\n";
  EXPECT_THAT(mistakes(with_model), ElementsAre(HasSubstr("expected `path`")));
  EXPECT_THAT(mistakes(with_model + "path = \"a.bin\"\n"), IsEmpty());
}

TEST(Command, SettingsOfTheOtherKindAreMistakes) {
  const auto found = mistakes(whisper("bytes = 1\ncontext = 4096\nargs = [\"--x\"]\n"));
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0], AllOf(HasSubstr("models.\"w\".context: "), HasSubstr("is a command")));
  EXPECT_THAT(mistakes("[models.a]\nbytes = \"1GiB\"\nready = \"/x\"\n"),
              ElementsAre(HasSubstr("models.\"a\".bytes: it is for models with a `command`"),
                          HasSubstr("models.\"a\".ready: ")));
  EXPECT_THAT(mistakes("[defaults]\nbytes = \"1GiB\"\n"), ElementsAre(HasSubstr("unknown key")));
}

TEST(Command, DefaultsOfTheOtherKindDoNotCountForIt) {
  const std::string defaults = "[defaults]\ncontext = 4096\nargs = [\"--threads\", \"1\"]\n";
  EXPECT_EQ(good(defaults + whisper()), good(whisper()));
  EXPECT_EQ(good("[defaults]\nparallel = 9\n" + whisper()).parallel, 9);
}

TEST(Command, ReadyIsAPath) {
  for (const char* path : {"", "health", "/a b", "http://x/", "/a#b"}) {
    EXPECT_THAT(mistakes(whisper("bytes = 1\nready = \"" + std::string(path) + "\"\n")), SizeIs(1))
        << path;
  }
  EXPECT_THAT(mistakes(whisper("bytes = 1\nready = \"/v1/models?x=1\"\n")), IsEmpty());
}

TEST(Command, EnvironmentIsAssignments) {
  EXPECT_THAT(mistakes(whisper("bytes = 1\nenv = [\"A=1\", \"B_2=\", \"C=x=y\"]\n")), IsEmpty());
  EXPECT_THAT(mistakes(whisper("bytes = 1\nenv = [\"A=1\", \"nothing\"]\n")),
              ElementsAre(HasSubstr("env: item 2 is no assignment")));
  EXPECT_THAT(mistakes(whisper("bytes = 1\nenv = [\"=1\", \"2A=1\"]\n")), SizeIs(2));
  EXPECT_THAT(mistakes(whisper("bytes = 1\nenv = [\"A=1\", \"A=2\"]\n")),
              ElementsAre(HasSubstr("A is set twice")));
}

TEST(Command, NoMessageRepeatsASecret) {
  const std::vector<std::string> texts{
      "[models.w]\ncommand = \"x --key canary\"\nbytes = 1\n",
      "[models.w]\ncommand = [\"x\", \"canary\"]\n",
      "[models.w]\ncommand = [\"x\", \"canary\\u0000\"]\n",
      "[models.w]\ncommand = [\"x\", \"canary\", 3]\n",
      whisper("bytes = 1\nenv = \"KEY=canary\"\n"),
      whisper("bytes = 1\nenv = [\"canary\"]\n"),
      whisper("bytes = 1\nenv = [\"KEY=canary\", \"KEY=canary\"]\n"),
  };
  for (const std::string& text : texts) {
    const auto found = mistakes(text);
    EXPECT_THAT(found, Not(IsEmpty())) << text;
    for (const std::string& message : found) {
      EXPECT_THAT(message, Not(HasSubstr("canary")));
    }
  }
}

TEST(Command, AChangeIsToldByItsKeyOnly) {
  const auto before = parsed(whisper("bytes = 1\nenv = [\"KEY=canary\"]\n"));
  const auto after = parsed(whisper("bytes = 1\nenv = [\"KEY=other\"]\n"));
  ASSERT_TRUE(before && after);
  EXPECT_THAT(difference(*before, *after).models, ElementsAre("models.\"w\".env"));
}

}  // namespace
}  // namespace hf::config
