#include "process/timing_line.h"

#include <gtest/gtest.h>

#include <string>

namespace hf::process {
namespace {

using namespace std::chrono_literals;
using Kind = TimingLine::Kind;

// Lines as llama-server v0.5.0 prints them.
constexpr std::string_view kPrompt =
    "0.03.726.166 I slot print_timing: id  1 | task 0 | prompt eval time =     300.24 ms /    91 "
    "tokens (    3.30 ms per token,   303.10 tokens per second)";
constexpr std::string_view kAnswer =
    "12.03.726.216 I slot print_timing: id  1 | task 41 |        eval time =     388.87 ms /    40 "
    "tokens (    9.97 ms per token,   100.29 tokens per second)";
constexpr std::string_view kStarted =
    "0.05.280.254 I slot launch_slot_: id  0 | task 82 | processing task, is_child = 0";
constexpr std::string_view kEnded =
    "0.05.580.870 I slot      release: id  0 | task 82 | stop processing: n_tokens = 75, "
    "truncated = 0";

TEST(TimingLine, ReadsWhatAnAnswerTook) {
  const auto prompt = parse_timing_line(kPrompt);
  ASSERT_TRUE(prompt);
  EXPECT_EQ(prompt->kind, Kind::Prompt);
  EXPECT_EQ(prompt->tokens, 91);
  EXPECT_NEAR(seconds_of(prompt->took), 0.30024, 1e-9);
  const auto answer = parse_timing_line(kAnswer);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->kind, Kind::Answer);
  EXPECT_EQ(answer->tokens, 40);
  EXPECT_NEAR(seconds_of(answer->took), 0.38887, 1e-9);
}

TEST(TimingLine, ReadsWhenATaskHeldItsSlot) {
  const auto started = parse_timing_line(kStarted);
  const auto ended = parse_timing_line(kEnded);
  ASSERT_TRUE(started && ended);
  EXPECT_EQ(started->kind, Kind::Started);
  EXPECT_EQ(ended->kind, Kind::Ended);
  EXPECT_EQ(started->slot, 0);
  EXPECT_EQ(started->task, ended->task);
  EXPECT_EQ(ended->tokens, 75);
  ASSERT_TRUE(started->at && ended->at);
  EXPECT_EQ(*ended->at - *started->at, 300616us);
}

TEST(TimingLine, TheOlderFormStandsAlone) {
  const auto answer = parse_timing_line(
      "       eval time =    1453.06 ms /    40 tokens (   37.26 ms per token,    26.84 tokens per "
      "second)");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->kind, Kind::Answer);
  EXPECT_FALSE(answer->at);
  EXPECT_TRUE(parse_timing_line("prompt eval time = 123.45 ms / 24 tokens ( 5.14 ms per token"));
}

TEST(TimingLine, OtherLinesAreNone) {
  for (const std::string_view line : {
           "",
           "0.00.448.333 I srv    load_model: initializing, n_slots = 2, n_ctx_slot = 8192",
           "0.03.726.223 I slot print_timing: id  1 | task 0 |       total time =     689.10 ms /  "
           " "
           "131 tokens",
           "0.03.035.872 I slot get_availabl: id  1 | task -1 | selected slot by LRU, t_last = -1",
           "llama_perf_context_print: prompt eval time = 300.24 ms / 91 tokens",
           "he wrote: eval time = 1.00 ms / 100 tokens",
           "processing task, is_child = 0",
       }) {
    EXPECT_FALSE(parse_timing_line(line)) << line;
  }
}

// Every beginning of a good line: read as a whole, or not at all, and never out of its bounds.
TEST(TimingLine, CutLinesAreSafe) {
  for (const std::string_view whole : {kPrompt, kAnswer, kStarted, kEnded}) {
    for (std::size_t length = 0; length < whole.size(); ++length) {
      const std::string cut(whole.substr(0, length));  // its own bytes, for the sanitizer
      const auto line = parse_timing_line(cut);
      if (line && line->kind != Kind::Started) {
        EXPECT_EQ(line->tokens, parse_timing_line(whole)->tokens) << cut;
      }
    }
  }
}

TEST(TimingLine, FiguresThatCannotBeAreNone) {
  const auto answer = [](const std::string& milliseconds, const std::string& tokens) {
    return parse_timing_line("eval time = " + milliseconds + " ms / " + tokens + " tokens (");
  };
  EXPECT_TRUE(answer("1", "2"));
  for (const char* milliseconds : {"nan", "inf", "-1", "1e300", "", "x", "1e10"}) {
    EXPECT_FALSE(answer(milliseconds, "2")) << milliseconds;
  }
  for (const char* tokens : {"-1", "99999999999999999999", "2.5", "", "9999999999"}) {
    EXPECT_FALSE(answer("1", tokens)) << tokens;
  }
  EXPECT_FALSE(parse_timing_line("slot release: id -1 | task 1 | stop processing: n_tokens = 1,"));
  EXPECT_FALSE(parse_timing_line("0.99.000.000 eval time = 1 ms / 2 tokens"));
}

}  // namespace
}  // namespace hf::process
