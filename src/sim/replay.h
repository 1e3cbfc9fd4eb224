#pragma once
// Replays a recorded trace on the product's own scheduler in virtual time: every request is a
// ticket, loads and answers take what sim/physics.h says, everything else core::Scheduler decides
// with its usual settings. Why: what a policy saves and how long people wait can be said only of
// real streams of requests. The same input gives the same figures on every machine. Any thread.

#include <cstdint>
#include <optional>
#include <vector>

#include "core/scheduler.h"
#include "sim/trace.h"

namespace hf::sim {

struct ReplayOptions {
  // max_waiting and users are not used: a replay refuses nobody for the length of a queue, and the
  // trace says how many users there are.
  core::Limits limits;
  std::vector<Bytes> sizes;  // of Trace::models, in their order
  Duration stop{};           // from the signal to the reap
  core::Mutant mutant = core::Mutant::None;
};

// Over the requests that were granted. Percentiles by nearest rank: the least wait that at least so
// many per cent did not exceed.
struct WaitFigures {
  Duration mean{}, p50{}, p95{}, p99{}, max{};
};
// Empty optionals are left out.
WaitFigures wait_figures(const std::vector<std::optional<Duration>>& waits);

struct ReplayResult {
  std::uint64_t requests = 0;
  std::uint64_t refused = 0;  // their model can never fit
  std::uint64_t cut = 0;      // by request_limit
  std::uint64_t loads = 0;
  Duration load_time{};  // of all loads together
  Bytes bytes_loaded;
  std::uint64_t evictions = 0;
  std::vector<std::optional<Duration>> waits;  // by row, from arrival to grant; nullopt: refused
  WaitFigures wait;
  // Rows that waited longer than the deadline that was published when they arrived.
  std::vector<std::size_t> late;
  double worst_wait_over_bound = 0;
};

// Requires: one size for each model, each at least a byte.
ReplayResult replay(const Trace& trace, const ReplayOptions& options);

}  // namespace hf::sim
