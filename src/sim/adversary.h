#pragma once
// The adversarial search: hill climbing over cases (`adversary_case.h`), which tries to make a wait
// longer than its published bound on the product's own core. Why beside the simulation: random
// worlds come to about half of a bound; a climb comes so near that a bound which is too small by a
// reap or a turn is exceeded.
//
// A climb starts at a random case, changes a few genes at a time, keeps what is not worse, and
// evaluates kClimb cases. One evaluated case counts as one search. The same seed is the same climb.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/adversary_run.h"

namespace hf::sim {

constexpr std::uint64_t kClimb = 200;  // cases of one climb
constexpr std::size_t kRecords = 30;   // worth keeping as a corpus

struct Climb {
  std::uint64_t seed = 0;
  std::uint64_t cases = 0;
  Case best;
  Verdict verdict;   // of the best; the violation, if there was one
  double worst = 0;  // wait / latest bound, over all cases
};

// `cases`: at most kClimb; ends early at a broken promise.
Climb climb(std::uint64_t seed, std::uint64_t cases, core::Mutant mutant = core::Mutant::None);

struct SearchPlan {
  std::uint64_t first_seed = 1;
  std::uint64_t cases = 20000;  // in all; each kClimb of them have a seed of their own
  unsigned threads = 1;
  core::Mutant mutant = core::Mutant::None;
};

struct Record {
  std::uint64_t seed = 0;
  double told = 0;
};

struct Found {
  std::uint64_t climbs = 0;
  std::uint64_t cases = 0;
  Climb highest;                // by Verdict::told; ties: the smaller seed
  double worst = 0;             // wait / latest bound, over all cases
  std::vector<Record> records;  // of the kRecords highest climbs, highest first
  std::vector<Climb> failures;  // by seed, ascending
};

// Does not depend on the number of threads. `progress` gets the number of cases done so far, on the
// caller's thread; may be empty.
Found search(const SearchPlan& plan, const std::function<void(std::uint64_t)>& progress);

}  // namespace hf::sim
