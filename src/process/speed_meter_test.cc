#include "process/speed_meter.h"

#include <gtest/gtest.h>

#include <string>

namespace hf::process {
namespace {

std::string prompt(const std::string& milliseconds, int tokens) {
  return "slot print_timing: id  1 | task 0 | prompt eval time = " + milliseconds + " ms / " +
         std::to_string(tokens) + " tokens (";
}
std::string answer(const std::string& milliseconds, int tokens) {
  return "slot print_timing: id  1 | task 0 |        eval time = " + milliseconds + " ms / " +
         std::to_string(tokens) + " tokens (";
}
std::string started(int slot, int task, const std::string& at) {
  return at + " I slot launch_slot_: id " + std::to_string(slot) + " | task " +
         std::to_string(task) + " | processing task, is_child = 0";
}
std::string ended(int slot, int task, const std::string& at, int tokens) {
  return at + " I slot      release: id " + std::to_string(slot) + " | task " +
         std::to_string(task) + " | stop processing: n_tokens = " + std::to_string(tokens) +
         ", truncated = 0";
}

TEST(SpeedMeter, TellsPromptsAndAnswers) {
  SpeedMeter meter(false);
  const auto prefill = meter.read(prompt("500", 100));
  ASSERT_TRUE(prefill);
  EXPECT_EQ(prefill->kind, Speed::Kind::Prefill);
  EXPECT_NEAR(prefill->tokens_per_second, 200, 1e-6);
  const auto decode = meter.read(answer("1000", 41));
  ASSERT_TRUE(decode);
  EXPECT_EQ(decode->kind, Speed::Kind::Decode);
  EXPECT_NEAR(decode->tokens_per_second, 40, 1e-6) << "the first token came with the prompt";
}

TEST(SpeedMeter, DropsWhatIsTooShortToMeanSomething) {
  SpeedMeter meter(false);
  EXPECT_FALSE(meter.read(prompt("500", kLeastPromptTokens - 1)));
  EXPECT_TRUE(meter.read(prompt("500", kLeastPromptTokens)));
  EXPECT_FALSE(meter.read(answer("500", kLeastAnswerTokens - 1)));
  EXPECT_TRUE(meter.read(answer("500", kLeastAnswerTokens)));
  EXPECT_FALSE(meter.read(prompt("0.00", 100)));
  EXPECT_FALSE(meter.read(answer("0.00", 100)));
  EXPECT_FALSE(meter.read("srv  llama_server: listening"));
}

TEST(SpeedMeter, TimesTheTasksOfModelsWithoutAnswers) {
  SpeedMeter meter(true);
  EXPECT_FALSE(meter.read(started(0, 7, "0.05.000.000")));
  EXPECT_FALSE(meter.read(started(1, 8, "0.05.100.000")));
  const auto second = meter.read(ended(1, 8, "0.05.600.000", 100));
  const auto first = meter.read(ended(0, 7, "0.06.000.000", 50));
  ASSERT_TRUE(first && second);
  EXPECT_NEAR(first->tokens_per_second, 50, 1e-6);
  EXPECT_NEAR(second->tokens_per_second, 200, 1e-6);
  EXPECT_EQ(first->kind, Speed::Kind::Prefill);
  EXPECT_FALSE(meter.read(ended(0, 7, "0.06.000.000", 50))) << "a task ends once";
}

TEST(SpeedMeter, ATaskOfWhichTheBeginningIsUnknownSaysNothing) {
  SpeedMeter meter(true);
  EXPECT_FALSE(meter.read(ended(0, 7, "0.06.000.000", 50)));
  meter.read(started(0, 7, "0.05.000.000"));
  EXPECT_FALSE(meter.read(ended(0, 8, "0.06.000.000", 50)));
  meter.read(started(0, 9, "0.05.000.000"));
  EXPECT_FALSE(meter.read(ended(0, 9, "0.05.000.000", 50))) << "no time passed";
  meter.read(started(0, 10, "0.05.000.000"));
  EXPECT_FALSE(meter.read(ended(0, 10, "0.04.000.000", 50))) << "its clock went back";
}

TEST(SpeedMeter, TasksOfOtherModelsAreNotPromptsOnly) {
  SpeedMeter meter(false);
  meter.read(started(0, 7, "0.05.000.000"));
  EXPECT_FALSE(meter.read(ended(0, 7, "0.06.000.000", 50)));
}

}  // namespace
}  // namespace hf::process
