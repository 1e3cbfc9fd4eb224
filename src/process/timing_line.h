#pragma once
// The lines a stock llama-server logs about the time that an answer took, and about the beginning
// and the end of each task. Why lines and not the answers: they are the same for every dialect and
// for an answer whose client left. An internal format of that program (v0.5.0,
// tools/server/server-context.cpp and server-common.h, pinned by
// tests/e2e/test_engine_protocol.py), so a line we do not understand is simply none of these:
//
//   0.03.726.166 I slot print_timing: id  1 | task 0 | prompt eval time =  300.24 ms /  91 tokens
//   (… 0.03.726.216 I slot print_timing: id  1 | task 0 |        eval time =  388.87 ms /  40
//   tokens (… 0.05.280.254 I slot launch_slot_: id  0 | task 82 | processing task, is_child = 0
//   0.05.580.870 I slot      release: id  0 | task 82 | stop processing: n_tokens = 75, truncated =
//   0
//
// Earlier versions print the first two without anything before them. Pure function, any thread.

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace hf::process {

struct TimingLine {
  enum class Kind {
    Prompt,   // tokens of the prompt that were computed (none that were reused), and how long
    Answer,   // tokens generated, and how long
    Started,  // a task entered a slot
    Ended,    // it left the slot, in which `tokens` were held
  };
  Kind kind = Kind::Prompt;
  std::int64_t tokens = 0;  // ≥ 0
  Duration took{};          // ≥ 0; Prompt and Answer
  std::int64_t slot = -1;   // Started and Ended
  std::int64_t task = -1;
  std::optional<Duration> at;  // by the engine's clock since its start, where the line begins so
};

// Nothing for every other line, a cut one, or figures that cannot be.
std::optional<TimingLine> parse_timing_line(std::string_view line);

}  // namespace hf::process
