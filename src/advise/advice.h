#pragma once
// Replays a history in many other worlds and says which of them are worth having. The figures are
// only as good as the replay of the present one is: that is compared with what was recorded and
// judged too. Any thread.

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "advise/case.h"
#include "advise/scenario.h"

namespace hf::advise {

struct Replayed {
  Scenario scenario;
  Figures figures;
};

// How near the replay of the present budget comes to the record.
enum class Trust { Good, Fair, Poor };

struct Advice {
  // By kind, in the order of the enum; budgets ascending.
  std::vector<Replayed> replayed;
  std::size_t present = 0;  // index into replayed, likewise below
  // The smallest larger budget that brings most of what more memory can bring; nullopt: nothing
  // worth having.
  std::optional<std::size_t> more_memory;
  // The smallest smaller budget that costs nobody anything to speak of.
  std::optional<std::size_t> less_memory;
  std::optional<std::size_t> pin;
  std::optional<std::size_t> quantisation;
  std::optional<std::size_t> policy;
  Trust trust = Trust::Good;

  [[nodiscard]] const Figures& now() const { return replayed[present].figures; }
};

// Fewer requests say nothing.
constexpr std::size_t kLeastRequests = 20;

// A refused request is asked again later: in the choice of what to advise it counts like a minute
// of waiting. What is not worth a twentieth of all waiting and ten seconds is not advised.
constexpr Duration kUnservedCosts = std::chrono::minutes(1);
constexpr double kWorthShare = 0.05;
constexpr Duration kWorthWait = std::chrono::seconds(10);

struct Progress {
  std::size_t done = 0;
  std::size_t all = 0;
};

// Requires: at least one request. `progress` is called on the caller's thread; may be empty.
Advice advise(const Case& history, unsigned threads,
              const std::function<void(const Progress&)>& progress);

}  // namespace hf::advise
