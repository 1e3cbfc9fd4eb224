#pragma once
// Plays a case of the adversary on the product's own core, in virtual time, and tells how near a
// wait came to its published bound. The checker of the simulation judges every action on the way.

#include <cstdint>
#include <string>

#include "core/scheduler.h"
#include "sim/adversary_case.h"

namespace hf::sim {

struct Verdict {
  // Largest wait / bound of any ticket, by the latest deadline that was published to it; above 1: a
  // bound was broken. Close to 1 whenever a load takes all its time, so it leads a climb nowhere.
  double worst = 0;
  double told = 0;        // the same by the deadline that was published when it arrived at no load
  std::string violation;  // the promise that was broken; empty: none
  std::uint64_t waits = 0;  // that had a bound to keep
  std::uint64_t events = 0;

  [[nodiscard]] bool ok() const { return violation.empty(); }
};

// Deterministic. `show`: every event and action to standard error. Thread: any.
Verdict evaluate(const Case& c, core::Mutant mutant = core::Mutant::None, bool show = false);

}  // namespace hf::sim
