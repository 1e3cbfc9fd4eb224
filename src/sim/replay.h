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

// A model as it was measured.
struct ReplayModel {
  core::Footprint footprint;
  Duration load{};  // of every load
  int slots = 1;
  int priority = 0;
  std::optional<Duration> ttl{};
  bool pinned = false;             // from the start on, if it fits
  std::optional<Duration> stop{};  // nullopt: ReplayOptions::stop
};

struct ReplayOptions {
  // users is not used: the trace says how many there are.
  core::Limits limits;
  std::vector<Bytes> sizes;         // of Trace::models, in their order, on the box of sim/physics.h
  std::vector<ReplayModel> models;  // instead of `sizes`, if it is not empty
  bool queue_limit = false;  // false: nobody is refused for the length of a queue (max_waiting)
  std::vector<TimePoint> restarts;  // ascending: idle models are unloaded, as by a new server
  Duration stop{};                  // from the signal to the reap
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
  std::uint64_t refused = 0;  // their model can never fit, or the queue was full
  std::uint64_t left = 0;     // out of patience
  std::uint64_t cut = 0;      // by request_limit
  std::uint64_t loads = 0;
  Duration load_time{};  // of all loads together
  Bytes bytes_loaded;
  std::uint64_t evictions = 0;
  std::vector<std::optional<Duration>>
      waits;  // by row, from arrival to grant; nullopt: not granted
  WaitFigures wait;
  // Rows that waited longer than the deadline that was published when they arrived.
  std::vector<std::size_t> late;
  double worst_wait_over_bound = 0;
};

// Requires: one size or measured model for each model of the trace, of at least a byte; a row comes
// after earlier ones only.
ReplayResult replay(const Trace& trace, const ReplayOptions& options);

}  // namespace hf::sim
