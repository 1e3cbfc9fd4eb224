// Runs every transcript of tests/scenarios. HF_UPDATE=1 writes what the core does now into them.
#include "sim/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

namespace hf::sim {
namespace {

using ::testing::HasSubstr;

std::vector<std::filesystem::path> transcripts() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(HF_SCENARIO_DIR)) {
    if (entry.path().extension() == ".txt") {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

class TranscriptTest : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(TranscriptTest, IsWhatTheCoreDoes) {
  std::ifstream in(GetParam());
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const auto now = run_scenario(text);
  ASSERT_TRUE(now.has_value()) << now.error().message;
  if (std::getenv("HF_UPDATE") != nullptr) {
    std::ofstream(GetParam()) << *now;
  } else {
    EXPECT_EQ(*now, text) << "HF_UPDATE=1 rewrites the file";
  }
}

INSTANTIATE_TEST_SUITE_P(Scenarios, TranscriptTest, ::testing::ValuesIn(transcripts()),
                         [](const auto& file) { return file.param.stem().string(); });

TEST(Scenario, ThereAreTranscripts) {
  EXPECT_GE(transcripts().size(), 10U);
}

TEST(Scenario, WritesWhatHappenedBelowTheDashes) {
  const auto result = run_scenario(
      "budget 4GiB\nmodel a 1GiB\narrive t a\n----\nold result\n\n# note\nend t\n----\n");
  ASSERT_TRUE(result.has_value()) << result.error().message;
  EXPECT_THAT(*result, HasSubstr("----\nstart a g1 1.00 GiB: head_fits"));
  EXPECT_THAT(*result, HasSubstr("\n\n# note\nend t\n----\nnothing\n"));
  EXPECT_THAT(*result, ::testing::Not(HasSubstr("old result")));
}

TEST(Scenario, NamesTheLineOfAMistake) {
  EXPECT_THAT(run_scenario("budget 4GiB\narive t a\n----\n").error().message, HasSubstr("line 2"));
  EXPECT_THAT(run_scenario("model a 1GiB\nready b\n").error().message, HasSubstr("'b'"));
  EXPECT_THAT(run_scenario("model a 1GiB slots=x\n").error().message, HasSubstr("number"));
  EXPECT_THAT(run_scenario("patience soon\n").error().message, HasSubstr("line 1"));
  EXPECT_THAT(run_scenario("model a 1GiB\narrive t a\n").error().message, HasSubstr("----"));
}

}  // namespace
}  // namespace hf::sim
