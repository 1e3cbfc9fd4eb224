#pragma once
// R, the longest that one answer can take: it enters the bound on every wait when no request_limit
// is set (docs/scheduling.md). From a model's slowest measured speeds; for a model that was never
// measured, from what others reached on this machine. Why estimate: the bound needs R of *every*
// listed model, and one of thirty may not be used for months. Pure functions, any thread.

#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace hf::engine {

// The slowest tokens/s measured of one model, and the size of its weights.
struct SpeedSample {
  Bytes weights;
  double tokens_per_second = 0;
};

// Of the models measured on this machine.
struct SpeedSamples {
  std::vector<SpeedSample> decode;
  std::vector<SpeedSample> prefill;
};

// Each token takes all weights through the memory bus, so that tokens/s x bytes is about the same
// for all models of a machine. The smallest such product, by the asked model's bytes, halved for
// caution. Models below a tenth of the asked one's size are left out if there are larger ones (else
// the largest counts): what they spend on a token is mostly not their weights. nullopt: nothing was
// measured. Known to be too fast for a dense model if only mixtures of experts were measured, which
// read a part of their weights for a token.
std::optional<double> estimated_speed(std::span<const SpeedSample> samples, Bytes weights);

struct AnswerFacts {
  int context = 0;  // tokens that one request may use
  Bytes weights;
  bool decodes = true;            // false: an embedding model or a reranker
  std::optional<double> decode;   // tokens/s, measured
  std::optional<double> prefill;  // tokens/s, measured
};

struct AnswerTime {
  Duration longest{};
  bool measured = false;  // no term was estimated
};

// context / prefill + context / decode, the second for models that decode. nullopt: neither
// measured nor to be estimated. At most a year.
std::optional<AnswerTime> answer_time(const AnswerFacts& facts, const SpeedSamples& samples);

// True if the core should hear of it: it became known, or moved by more than 1 %.
bool is_news(const std::optional<Duration>& told, const std::optional<Duration>& now);

}  // namespace hf::engine
