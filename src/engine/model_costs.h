#pragma once
// What a model costs in time, as far as it was measured or can be estimated. Shown to people and,
// in parts, told to the core. Plain values, any thread.

#include <optional>

#include "base/time.h"

namespace hf::engine {

// What it costs to bring a model back, and how long one of its answers can take.
struct ModelCosts {
  Duration reload{};                       // mixed by page_cache_share; what the core reckons with
  std::optional<double> page_cache_share;  // of its files, 0…1; nullopt: not looked at, or not told
  std::optional<Duration> load_cached;     // measured, or …
  std::optional<Duration> load_cold;
  bool load_cached_estimated = false;  // … computed from a load that was so in part
  bool load_cold_estimated = false;
  std::optional<double> slowest_decode;    // tokens/s, measured
  std::optional<double> slowest_prefill;   // tokens/s, measured
  std::optional<Duration> longest_answer;  // R; nullopt: no model was measured yet
  bool longest_answer_measured = false;    // false: estimated from other models
};

}  // namespace hf::engine
