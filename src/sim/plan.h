#pragma once
// What kind of world a seed stands for: the machine, the models, the people and what goes wrong.
// Swarm testing: each seed switches some faults off altogether and draws the weights of the others,
// because a fault that is always on hides what happens without it. Value type.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.h"
#include "core/event.h"
#include "core/limits.h"
#include "sim/random.h"

namespace hf::sim {

enum class Fault {
  Crash,
  Growth,   // measured above the reservation: debt
  Reading,  // memory in use rises and falls, sometimes above the critical mark; tasks stand still
  Tune,     // news about costs
  Replace,  // a new spec, sometimes with a restart
  Remove,   // and added again later
  Broken,   // its file, until it is replaced
  Pin,      // or unpin
  UnloadIdle,
  Drain,
  Force,
  CleanupNormal,
  CleanupEmergency,
  Budget,
  StaleNews,  // of old generations, unknown tickets, unknown models
  Measure,    // within the reservation
  Preload,
  Settings,  // longer or shorter patience, turn and request limit
};
constexpr std::size_t kFaults = 18;

struct ModelPlan {
  core::ModelSpec spec;
  double popularity = 1;
  Duration load_min{}, load_max{};  // an attempt takes between these
};

// A stall that is told of by a few readings in a row, and then by none for long.
constexpr double kFewReadings = 0.7;

struct Plan {
  core::Limits limits;
  std::vector<ModelPlan> models;
  std::size_t domains = 1;

  int users = 1;
  Duration arrival_gap{};  // mean
  double burst = 0;        // an arrival is one of fifty
  double load_ticket = 0;  // asks for the model, not for an answer
  double leave = 0;        // a client goes away before its answer ends
  double come_back = 0;    // … and returns within half a minute
  double retry = 0;        // after a refusal
  double stall = 0;        // a reader stops reading, for a while or for good
  Duration service{};      // mean
  double endless = 0;      // answers that end only when they are cut
  double open_ended = 0;   // … and are known to be no answers (WebSockets)
  std::optional<Duration> longest_service;

  double load_fails = 0;
  double fails_by_oom = 0;              // of those
  double stalls = 0;                    // of readings: tasks stood still for want of memory
  double stall_goes_on = kFewReadings;  // at the next reading; 1: without end
  double slow_stop = 0;                 // near the deadline, or past it if the bound is not checked
  std::array<double, kFaults> faults{};
  Duration fault_gap{};  // mean

  bool bound_checked = false;  // the seed keeps to what the published deadlines promise
  bool quits = false;          // ends by Shutdown instead of by calm
};

Plan draw_plan(std::uint64_t seed);
// Another size for a model of that plan: some never fit.
core::Footprint draw_size(Random& random, const core::Footprint& budget, std::size_t domains);

}  // namespace hf::sim
