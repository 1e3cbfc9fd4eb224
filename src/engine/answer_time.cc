#include "engine/answer_time.h"

#include <algorithm>
#include <cmath>

namespace hf::engine {
namespace {

constexpr double kCaution = 0.5;
constexpr std::int64_t kComparable = 10;
constexpr double kLongestSeconds = 365.0 * 24 * 3600;
// Small movements are noise, and each one makes the core compute its bounds anew.
constexpr double kNews = 0.01;

double product(const SpeedSample& sample) {
  return sample.tokens_per_second * static_cast<double>(sample.weights.count);
}

}  // namespace

std::optional<double> estimated_speed(std::span<const SpeedSample> samples, Bytes weights) {
  const SpeedSample* slowest = nullptr;
  const SpeedSample* largest = nullptr;
  for (const SpeedSample& sample : samples) {
    if (sample.tokens_per_second <= 0 || sample.weights.count <= 0) {
      continue;
    }
    if (sample.weights.count >= weights.count / kComparable &&
        (slowest == nullptr || product(sample) < product(*slowest))) {
      slowest = &sample;
    }
    if (largest == nullptr || sample.weights > largest->weights) {
      largest = &sample;
    }
  }
  const SpeedSample* from = slowest != nullptr ? slowest : largest;
  if (from == nullptr) {
    return std::nullopt;
  }
  const auto bytes = static_cast<double>(std::max<std::int64_t>(1, weights.count));
  return kCaution * product(*from) / bytes;
}

std::optional<AnswerTime> answer_time(const AnswerFacts& facts, const SpeedSamples& samples) {
  const auto decode = facts.decode ? facts.decode : estimated_speed(samples.decode, facts.weights);
  auto prefill = facts.prefill ? facts.prefill : estimated_speed(samples.prefill, facts.weights);
  // Only short prompts so far: to read a token takes no longer than to write one.
  if (!facts.prefill && decode) {
    prefill = std::max(prefill, decode);
  }
  if (!prefill || (facts.decodes && !decode)) {
    return std::nullopt;
  }
  double seconds = facts.context / *prefill;
  if (facts.decodes) {
    seconds += facts.context / *decode;
  }
  AnswerTime time;
  // Not finite when a speed is next to nothing.
  time.longest = duration_of_seconds(seconds < kLongestSeconds ? seconds : kLongestSeconds);
  time.measured = facts.prefill && (facts.decode || !facts.decodes);
  return time;
}

bool is_news(const std::optional<Duration>& told, const std::optional<Duration>& now) {
  if (!told || !now) {
    return now.has_value();
  }
  return std::abs(seconds_of(*now - *told)) > kNews * seconds_of(*told);
}

}  // namespace hf::engine
