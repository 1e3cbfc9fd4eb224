#pragma once
// One simulated run: a seed decides the machine, the people and the faults; core::Scheduler decides
// everything else; the checker judges. First the safety phase, in which anything may happen, then
// the liveness phase: faults and arrivals stop, and everybody who waits must be served or refused,
// everything must come to rest. The same seed gives the same run on every machine.

#include <cstdint>
#include <string>

#include "core/scheduler.h"
#include "sim/coverage.h"

namespace hf::sim {

struct Options {
  std::uint64_t seed = 1;
  std::uint64_t events = 5000;  // of the safety phase; the liveness phase comes on top
  core::Mutant mutant = core::Mutant::None;
  bool trace = false;  // print every event and action to standard error
};

struct Outcome {
  bool ok = true;
  std::uint64_t seed = 0;
  std::string violation;     // the promise that was broken
  std::string report;        // seed, violation and the last events and actions, in words
  std::uint64_t events = 0;  // handled, in both phases
  Duration virtual_time{};
  std::uint64_t hash = 0;  // of all events and actions: equal for equal runs
  bool bound_checked = false;
  Counters counters;
  Coverage coverage;
};

// Thread: any, each run has everything of its own. A failed HF_ASSERT of the core prints the same
// report to standard error before the process aborts.
Outcome run_seed(const Options& options);

}  // namespace hf::sim
