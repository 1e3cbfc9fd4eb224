#pragma once
// `holdfast simulate`: runs seeds and tells what happened, for people or as one JSON object. Flags
// are parsed elsewhere.

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "core/scheduler.h"

namespace hf::sim {

struct SimulateOptions {
  std::uint64_t seed = 1;   // the first
  std::uint64_t seeds = 1;  // how many, counted up from it
  std::uint64_t events = 5000;
  unsigned threads = 1;
  core::Mutant mutant = core::Mutant::None;
  bool json = false;
  bool trace = false;             // with one seed: every event and action to standard error
  bool require_coverage = false;  // every one of required_marks() must have been hit
  std::uint64_t search = 0;  // above 0: so many adversarial searches instead, adversary_command.h
};

// "ignore-leases" …, "none"; nullopt: no such mutant.
std::optional<core::Mutant> mutant_named(std::string_view name);

// Writes the result to `out`, progress to standard error if that is a terminal. Returns the exit
// code: 0 all promises held, 1 one was broken or a required mark was never hit.
int run_simulate(const SimulateOptions& options, std::FILE* out);

}  // namespace hf::sim
