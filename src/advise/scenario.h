#pragma once
// The other worlds that a history is replayed in: another budget, a pinned model, a smaller
// quantisation, another policy. Pure functions, any thread.

#include <cstdint>
#include <vector>

#include "advise/case.h"
#include "core/limits.h"

namespace hf::advise {

enum class Kind { Budget, Pin, Quantisation, Policy };

// One change to the present; everything else stays.
struct Scenario {
  Kind kind = Kind::Budget;
  double factor = 1;                // Budget: of the present one, in every memory domain
  std::vector<std::size_t> models;  // Pin, Quantisation: indices into Case::models
  core::VictimPolicy policy = core::VictimPolicy::Holdfast;  // Policy
};

// What came of it.
struct Figures {
  std::uint64_t loads = 0;
  Duration load_time{};
  std::uint64_t evictions = 0;
  std::uint64_t unserved = 0;  // refused, or left the queue
  Duration waited{};           // all waits together, also of those who left
  sim::WaitFigures wait;       // of those who were served
};

// Of q4_k_m files as they are found: some of their matrices have more than four bits. Files with at
// least kWorthSmaller times as many bits have a smaller variant worth talking about.
constexpr double kSmallBits = 4.9;
constexpr double kWorthSmaller = 1.15;

core::Footprint scaled(const core::Footprint& footprint, double factor);
core::Footprint budget_of(const Case& history, const Scenario& scenario);
// What the model would be charged as q4_k_m: its weights shrink by their bits, the rest stays. With
// several memory domains each keeps its share. Requires: bits_per_weight is known.
core::Footprint small_footprint(const Case& history, std::size_t model);

// Budgets from half to four times the present one, the most used models pinned one at a time, the
// largest at a smaller quantisation, the other policies. The present comes first.
std::vector<Scenario> scenarios_of(const Case& history);

// Blocks for as long as the replay takes, about ten microseconds a request.
Figures figures_of(const Case& history, const Scenario& scenario);

}  // namespace hf::advise
