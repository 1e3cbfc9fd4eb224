#pragma once
// What the configuration says about the queue, in the core's terms: for the engine that runs, and
// for a replay of its history under the same rules. Pure; any thread.

#include "config/config.h"
#include "core/limits.h"

namespace hf::engine {

// Patience, turn, request limit, queue length, loads at once and policy; the rest as by default.
core::Limits queue_limits(const config::Config& config);

}  // namespace hf::engine
