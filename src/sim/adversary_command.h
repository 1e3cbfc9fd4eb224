#pragma once
// `holdfast simulate --search N`: the adversarial search, told for people or as one JSON object.

#include <cstdio>

#include "sim/simulate_command.h"

namespace hf::sim {

// Writes the result to `out`, progress to standard error if that is a terminal. With
// `options.trace` the highest case (or the first that broke a promise) follows in words, and its
// events and actions on standard error. Returns the exit code: 0 all bounds were kept, 1 one was
// not.
int run_search(const SimulateOptions& options, std::FILE* out);

}  // namespace hf::sim
