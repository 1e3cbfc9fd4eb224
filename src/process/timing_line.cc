#include "process/timing_line.h"

#include <charconv>
#include <cmath>

namespace hf::process {
namespace {

using Kind = TimingLine::Kind;

// Longer than any task and more than any context: beyond these a figure is damaged.
constexpr double kLongestMs = 1e9;
constexpr std::int64_t kMostTokens = 1'000'000'000;
// Minutes since the engine's start; a century.
constexpr std::int64_t kMostMinutes = 52'560'000;

// Takes a line apart from the front; every step says whether it succeeded.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  void skip_blanks() {
    const auto end = rest_.find_first_not_of(' ');
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
  }
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) {
      return false;
    }
    rest_.remove_prefix(word.size());
    return true;
  }
  template <class Number>
  bool number(Number& value) {
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) {
      return false;
    }
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return true;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

// "0.05.280.254 ": minutes, seconds, milliseconds, microseconds.
std::optional<Duration> stamp(Reader& line) {
  Reader ahead = line;
  std::int64_t minutes = 0;
  int seconds = 0;
  int millis = 0;
  int micros = 0;
  if (!ahead.number(minutes) || !ahead.take(".") || !ahead.number(seconds) || !ahead.take(".") ||
      !ahead.number(millis) || !ahead.take(".") || !ahead.number(micros) || !ahead.take(" ")) {
    return std::nullopt;
  }
  if (minutes < 0 || minutes > kMostMinutes || seconds < 0 || seconds > 59 || millis < 0 ||
      millis > 999 || micros < 0 || micros > 999) {
    return std::nullopt;
  }
  line = ahead;
  return std::chrono::minutes(minutes) + std::chrono::seconds(seconds) +
         std::chrono::milliseconds(millis) + std::chrono::microseconds(micros);
}

// "I slot print_timing: id  1 | task 0 | ", of which every part may be missing.
bool slot_prefix(Reader& line, TimingLine& found) {
  Reader ahead = line;
  ahead.take("I ");
  if (!ahead.take("slot ")) {
    return false;
  }
  const auto colon = ahead.rest().find(": id ");
  constexpr std::size_t kLongestName = 20;
  if (colon > kLongestName) {
    return false;
  }
  ahead.take(ahead.rest().substr(0, colon + 5));
  ahead.skip_blanks();
  if (!ahead.number(found.slot) || !ahead.take(" | task ") || !ahead.number(found.task) ||
      !ahead.take(" | ")) {
    return false;
  }
  line = ahead;
  return found.slot >= 0 && found.task >= 0;
}

// "=   300.24 ms /    91 tokens".
bool time_and_tokens(Reader& line, TimingLine& found) {
  double milliseconds = 0;
  if (!line.take("=")) {
    return false;
  }
  line.skip_blanks();
  if (!line.number(milliseconds) || !line.take(" ms /")) {
    return false;
  }
  line.skip_blanks();
  if (!line.number(found.tokens) || !line.take(" tokens")) {
    return false;
  }
  if (!std::isfinite(milliseconds) || milliseconds < 0 || milliseconds > kLongestMs ||
      found.tokens < 0 || found.tokens > kMostTokens) {
    return false;
  }
  found.took = duration_of_seconds(milliseconds / 1e3);
  return true;
}

}  // namespace

std::optional<TimingLine> parse_timing_line(std::string_view text) {
  TimingLine found;
  Reader line(text);
  found.at = stamp(line);
  const bool has_slot = slot_prefix(line, found);
  line.skip_blanks();
  if (line.take("prompt eval time ")) {
    found.kind = Kind::Prompt;
    return time_and_tokens(line, found) ? std::optional(found) : std::nullopt;
  }
  if (line.take("eval time ")) {
    found.kind = Kind::Answer;
    return time_and_tokens(line, found) ? std::optional(found) : std::nullopt;
  }
  if (has_slot && line.take("processing task")) {
    found.kind = Kind::Started;
    return found;
  }
  if (has_slot && line.take("stop processing: n_tokens = ") && line.number(found.tokens) &&
      line.take(",") && found.tokens >= 0 && found.tokens <= kMostTokens) {
    found.kind = Kind::Ended;
    return found;
  }
  return std::nullopt;
}

}  // namespace hf::process
