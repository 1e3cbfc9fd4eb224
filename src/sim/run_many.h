#pragma once
// Many seeds on several threads. Runs share nothing, so the summary does not depend on the number
// of threads or on which of them ran what.

#include <cstdint>
#include <functional>
#include <vector>

#include "sim/simulation.h"

namespace hf::sim {

struct Sweep {
  std::uint64_t first_seed = 1;
  std::uint64_t count = 100;
  std::uint64_t events = 5000;  // of each seed's safety phase
  unsigned threads = 1;
  core::Mutant mutant = core::Mutant::None;
};

struct Summary {
  std::uint64_t seeds = 0;
  std::uint64_t bound_seeds = 0;  // in which published deadlines were held to
  std::uint64_t events = 0;
  Duration virtual_time{};
  Counters counters;
  Coverage coverage;
  std::vector<Outcome> failures;  // by seed, ascending

  void add(Outcome outcome);
  void add(Summary other);
};

// `progress` gets the number of seeds done so far, on the caller's thread; may be empty.
Summary run_many(const Sweep& sweep, const std::function<void(std::uint64_t)>& progress);

}  // namespace hf::sim
