#include "sim/plan.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace hf::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kPlanStream = 1;

// In four cases of ten the thing is off in this seed.
double swarm(Random& random, double high) {
  return random.chance(0.4) ? 0.0 : random.real(0, high);
}

core::Limits draw_limits(Random& random, std::size_t domains) {
  core::Limits limits;
  for (std::size_t d = 0; d < domains; ++d) {
    limits.budget.in[d] = random.between(4, 64) * kGiB;
  }
  limits.patience = seconds(random.between(1, 60));
  if (random.chance(0.7)) {
    limits.turn = seconds(random.chance(0.2) ? 0 : random.between(1, 120));
  }
  if (random.chance(0.6)) {
    limits.request_limit = seconds(random.between(5, 120));
  }
  limits.loads_at_once = random.chance(0.6) ? 1 : static_cast<int>(random.between(2, 3));
  limits.max_waiting = static_cast<int>(random.chance(0.5) ? 64 : random.between(1, 12));
  limits.drain = seconds(random.between(0, 60));
  limits.policy = random.chance(0.6) ? core::VictimPolicy::Holdfast
                                     : static_cast<core::VictimPolicy>(random.between(1, 4));
  return limits;
}

ModelPlan draw_model(Random& random, const Plan& plan, std::size_t index, int priorities) {
  ModelPlan model;
  model.spec.name = "m" + std::to_string(index);
  model.spec.footprint = draw_size(random, plan.limits.budget, plan.domains);
  model.spec.slots = static_cast<int>(random.chance(0.4) ? 1 : random.between(2, 6));
  model.spec.priority = static_cast<int>(random.between(0, priorities));
  model.spec.load_deadline = seconds(random.between(5, 60));
  model.load_max = random.duration(milliseconds(200), model.spec.load_deadline);
  model.load_min = random.chance(0.3) ? model.load_max : model.load_max / 10;
  model.spec.reload = (model.load_min + model.load_max) / 2;
  if (random.chance(0.2)) {
    model.spec.ttl = seconds(random.between(5, 300));
  }
  model.popularity = 1.0 / static_cast<double>(index + 1);
  return model;
}

// What the bound does not speak of is switched off: sizes and models that change while somebody
// waits, pins, and files that break.
bool within_the_bound(Fault fault) {
  switch (fault) {
    case Fault::Crash:
    case Fault::Reading:
    case Fault::Tune:
    case Fault::UnloadIdle:
    case Fault::Drain:
    case Fault::Force:
    case Fault::CleanupNormal:
    case Fault::CleanupEmergency:
    case Fault::StaleNews:
    case Fault::Measure:
    case Fault::Preload:
    case Fault::Settings:
      return true;
    case Fault::Growth:
    case Fault::Replace:
    case Fault::Remove:
    case Fault::Broken:
    case Fault::Pin:
    case Fault::Budget:
      return false;
  }
  return false;
}

void keep_to_the_bound(Random& random, Plan& plan) {
  plan.bound_checked = true;
  for (std::size_t f = 0; f < kFaults; ++f) {
    plan.faults[f] = within_the_bound(static_cast<Fault>(f)) ? plan.faults[f] : 0;
  }
  if (!plan.limits.request_limit && random.chance(0.6)) {
    plan.limits.request_limit = seconds(random.between(5, 120));
  }
  if (!plan.limits.request_limit) {  // then the length of answers is what ends them
    plan.longest_service = seconds(random.between(10, 90));
    plan.endless = 0;
    plan.stall = 0;
    plan.open_ended = swarm(random, 0.1);
  }
  for (ModelPlan& model : plan.models) {
    model.spec.longest_answer = plan.longest_service;
  }
}

}  // namespace

core::Footprint draw_size(Random& random, const core::Footprint& budget, std::size_t domains) {
  core::Footprint size;
  const double share = random.chance(0.03) ? random.real(1.0, 1.3) : random.real(0.05, 0.9);
  for (std::size_t d = 0; d < domains; ++d) {
    const double here = d == 0 ? share : share * random.real(0, 1);
    if (d == 0 || random.chance(0.7)) {
      size.in[d] = Bytes(static_cast<std::int64_t>(here * static_cast<double>(budget.in[d].count)));
    }
  }
  size.in[core::kHostRam] = std::max(size.in[core::kHostRam], kMiB);
  return size;
}

Plan draw_plan(std::uint64_t seed) {
  Random random(seed, kPlanStream);
  Plan plan;
  plan.domains = random.chance(0.25) ? static_cast<std::size_t>(random.between(2, 3)) : 1;
  plan.limits = draw_limits(random, plan.domains);
  const bool bound = random.chance(0.4);
  const int priorities = random.chance(0.3) ? 2 : 0;
  const std::int64_t count = random.between(1, 12);
  for (std::int64_t i = 0; i < count; ++i) {
    plan.models.push_back(draw_model(random, plan, static_cast<std::size_t>(i), priorities));
    if (random.chance(0.5)) {
      plan.models.back().popularity = 0.3;
    }
  }
  plan.users = static_cast<int>(random.between(1, 8));
  plan.limits.users = plan.users;
  plan.service = duration_of_seconds(random.real(0.2, 30));
  // Answers under way on average if nobody ever waited: from idle afternoons to rush hours.
  const double crowd = std::exp2(random.real(-3, 4));
  plan.arrival_gap = duration_of_seconds(seconds_of(plan.service) / crowd);
  plan.burst = random.chance(0.5) ? 0 : random.real(0, 0.02);
  plan.load_ticket = swarm(random, 0.05);
  plan.leave = swarm(random, 0.5);
  plan.come_back = swarm(random, 0.9);
  plan.retry = swarm(random, 0.8);
  plan.stall = swarm(random, 0.1);
  plan.endless = plan.limits.request_limit ? swarm(random, 0.2) : 0;
  plan.load_fails = swarm(random, 0.3);
  plan.fails_by_oom = random.unit();
  plan.slow_stop = swarm(random, 0.3);
  for (double& weight : plan.faults) {
    weight = swarm(random, 1);
  }
  plan.fault_gap = duration_of_seconds(seconds_of(plan.arrival_gap) * random.real(1, 40));
  plan.quits = random.chance(0.2);
  plan.stalls = swarm(random, 0.4);
  if (bound) {
    keep_to_the_bound(random, plan);
  }
  plan.stall_goes_on = random.chance(0.5) ? 1.0 : random.chance(0.5) ? 0.9 : kFewReadings;
  return plan;
}

}  // namespace hf::sim
