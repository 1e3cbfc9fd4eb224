#include "process/speed_meter.h"

#include <cmath>

#include "process/timing_line.h"

namespace hf::process {
namespace {

// Nobody runs so many; a damaged log must not cost us memory.
constexpr std::size_t kMostSlots = 1024;

std::optional<Speed> speed(Speed::Kind kind, std::int64_t tokens, Duration took) {
  const double rate = static_cast<double>(tokens) / seconds_of(took);
  if (took <= Duration::zero() || tokens <= 0 || !std::isfinite(rate)) {
    return std::nullopt;
  }
  return Speed{kind, rate};
}

}  // namespace

std::optional<Speed> SpeedMeter::read(std::string_view text) {
  const std::optional<TimingLine> line = parse_timing_line(text);
  if (!line) {
    return std::nullopt;
  }
  using Kind = TimingLine::Kind;
  if (line->kind == Kind::Prompt && line->tokens >= kLeastPromptTokens) {
    return speed(Speed::Kind::Prefill, line->tokens, line->took);
  }
  if (line->kind == Kind::Answer && line->tokens >= kLeastAnswerTokens) {
    // The first token comes with the prompt: its time is not in the answer's.
    return speed(Speed::Kind::Decode, line->tokens - 1, line->took);
  }
  if (!prompts_only_ || !line->at) {
    return std::nullopt;
  }
  if (line->kind == Kind::Started) {
    if (tasks_.size() < kMostSlots || tasks_.contains(line->slot)) {
      tasks_[line->slot] = Task{line->task, *line->at};
    }
    return std::nullopt;
  }
  if (line->kind == Kind::Ended) {
    const auto task = tasks_.extract(line->slot);
    if (!task.empty() && task.mapped().number == line->task && line->tokens >= kLeastPromptTokens) {
      return speed(Speed::Kind::Prefill, line->tokens, *line->at - task.mapped().since);
    }
  }
  return std::nullopt;
}

}  // namespace hf::process
