#pragma once
// From the lines of one child to how fast it was: tokens a second of prompts and of answers. Why
// apart from the lines: it knows which samples mean something. Value type, one thread, no clock.

#include <map>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace hf::process {

struct Speed {
  enum class Kind { Prefill, Decode };
  Kind kind = Kind::Prefill;
  double tokens_per_second = 0;  // > 0, finite
};

// A prompt of fewer computed tokens is one small batch: it says how long a batch takes, not how
// fast prompts are. This also drops prompts that were reused but for their last tokens.
inline constexpr int kLeastPromptTokens = 32;
// Fewer are over before the clock's noise is.
inline constexpr int kLeastAnswerTokens = 16;

class SpeedMeter {
 public:
  // `prompts_only`: embedding models and rerankers. The engine logs no times for their tasks, so
  // the time between a task's beginning and its end is taken, by the engine's own clock.
  explicit SpeedMeter(bool prompts_only) : prompts_only_(prompts_only) {}

  std::optional<Speed> read(std::string_view line);

 private:
  struct Task {
    std::int64_t number = 0;
    Duration since{};
  };

  bool prompts_only_;
  std::map<std::int64_t, Task> tasks_;  // by slot; no more than kMostSlots
};

}  // namespace hf::process
