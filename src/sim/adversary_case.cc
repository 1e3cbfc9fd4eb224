#include "sim/adversary_case.h"

#include <algorithm>
#include <array>

namespace hf::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t kBudgetGib = 16;
constexpr std::size_t kMostModels = 5;
constexpr std::size_t kMostVisits = 28;
constexpr std::size_t kMostStrikes = 6;
constexpr int kMostTimes = 8;
constexpr Duration kInstant = milliseconds(1);

Duration some_seconds(Random& random, int low, int high) {
  return seconds(random.between(low, high));
}

std::uint32_t some_model(Random& random, const Case& c) {
  return static_cast<std::uint32_t>(random.below(c.models.size()));
}

// Spans that the rules compare with are where decisions tip over: just before, at, just after.
Duration some_span(Random& random, const Case& c) {
  const Duration load = c.models.front().load_deadline;
  const Duration turn = c.limits.turn.value_or(c.limits.patience);
  const Duration answer = c.limits.request_limit.value_or(c.longest_answer);
  if (random.chance(0.4)) {
    return random.duration({}, 2 * (load + turn + answer + c.limits.stop_deadline));
  }
  const std::array<Duration, 9> known{Duration::zero(),
                                      c.limits.patience,
                                      turn,
                                      answer,
                                      load,
                                      c.limits.stop_deadline,
                                      load + turn,
                                      c.limits.placeholder,
                                      c.limits.patience - load};
  const Duration near = kInstant * random.between(-1, 1);
  return std::max(Duration::zero(), known[random.below(known.size())] + near);
}

When some_time(Random& random, const Case& c) {
  When when;
  if (random.chance(0.5)) {
    when.anchor = static_cast<Anchor>(random.between(1, kAnchors - 1));
    when.model = some_model(random, c);
    when.nth = static_cast<int>(random.chance(0.7) ? 1 : random.between(2, 4));
  }
  when.delay = random.chance(0.2) ? kInstant : some_span(random, c);
  return when;
}

std::optional<Duration> maybe(Random& random, double probability, Duration span) {
  return random.chance(probability) ? std::optional(span) : std::nullopt;
}

Visit some_visit(Random& random, const Case& c) {
  Visit visit;
  visit.when = some_time(random, c);
  visit.model = some_model(random, c);
  visit.user = static_cast<std::uint32_t>(random.below(static_cast<std::uint64_t>(c.limits.users)));
  if (random.chance(0.1)) {
    visit.times = static_cast<int>(random.between(2, kMostTimes));
    visit.every = some_span(random, c);
  }
  visit.load_only = random.chance(0.05);
  visit.answer = maybe(random, 0.4, some_span(random, c));
  visit.leaves = maybe(random, 0.2, some_span(random, c));
  if (visit.leaves) {
    visit.returns = maybe(random, 0.6, random.duration(kInstant, c.limits.placeholder + kInstant));
  }
  visit.stalls = maybe(random, 0.05, some_span(random, c));
  return visit;
}

Strike some_strike(Random& random, const Case& c) {
  Strike strike;
  strike.when = some_time(random, c);
  strike.blow = static_cast<Blow>(random.below(kBlows));
  strike.model = some_model(random, c);
  strike.lasts = std::max<Duration>(seconds(1), some_span(random, c));
  return strike;
}

Attempt some_attempt(Random& random) {
  Attempt attempt;
  if (random.chance(0.4)) {
    attempt.end = static_cast<LoadEnd>(random.below(4));
  }
  attempt.share = random.chance(0.6) ? 1 : random.unit();
  return attempt;
}

void draw_attempts(ModelGenes& model, Random& random) {
  model.attempts.clear();
  if (random.chance(0.25)) {  // each load takes both attempts
    model.attempts = {{LoadEnd::OutOfMemory, 1}, {LoadEnd::Ready, 1}};
  } else if (random.chance(0.3)) {
    for (std::int64_t i = random.between(1, 3); i > 0; --i) {
      model.attempts.push_back(some_attempt(random));
    }
  }
  model.stops.clear();
  if (random.chance(0.2)) {
    model.stops = {random.unit(), 1};
  }
}

// Alone in memory, beside small ones, or one of many.
Bytes some_size(Random& random) {
  const double kind = random.unit();
  const std::int64_t least = kind < 0.5 ? kBudgetGib / 2 + 1 : 1;
  const std::int64_t most = kind < 0.75 ? kBudgetGib : kBudgetGib / 2;
  return random.between(least, most) * kGiB;
}

ModelGenes some_genes(Random& random, const Case& c, Duration load_deadline) {
  ModelGenes model;
  model.size = some_size(random);
  if (c.limits.budget.in[1].count > 0 && random.chance(0.6)) {
    model.gpu_size = some_size(random);
  }
  model.slots = static_cast<int>(random.chance(0.6) ? 1 : random.between(2, 3));
  model.priority = static_cast<int>(random.chance(0.7) ? 0 : random.between(0, 2));
  model.pinned = random.chance(0.03);
  model.load_deadline = random.chance(0.8) ? load_deadline : some_seconds(random, 1, 60);
  model.reload = random.duration(milliseconds(100), model.load_deadline);
  draw_attempts(model, random);
  return model;
}

void draw_limits(Case& c, Random& random) {
  core::Limits& limits = c.limits;
  limits.patience = some_seconds(random, 1, 60);
  limits.turn = maybe(random, 0.8, some_seconds(random, 0, 90));
  limits.request_limit = maybe(random, 0.75, some_seconds(random, 1, 90));
  limits.stop_deadline = some_seconds(random, 1, 10);
  c.longest_answer = some_seconds(random, 1, 90);
}

// What a change of settings or models left out of range.
void make_legal(Case& c) {
  const auto models = static_cast<std::uint32_t>(c.models.size());
  const auto users = static_cast<std::uint32_t>(c.limits.users);
  for (Visit& visit : c.visits) {
    visit.when.model %= models;
    visit.model %= models;
    visit.user %= users;
  }
  for (Strike& strike : c.strikes) {
    strike.when.model %= models;
    strike.model %= models;
  }
}

void mutate_visit(Visit& visit, const Case& c, Random& random) {
  switch (random.below(10)) {
    case 8:
      visit.times = static_cast<int>(random.between(1, kMostTimes));
      visit.every = some_span(random, c);
      break;
    case 0:
      visit.when = some_time(random, c);
      break;
    case 1:
    case 2:
      visit.when.delay = some_span(random, c);
      break;
    case 3:
      visit.when.delay =
          std::max(Duration::zero(), visit.when.delay + milliseconds(random.between(-3000, 3000)));
      break;
    case 4:
      visit.model = some_model(random, c);
      break;
    case 5:
      visit.answer = maybe(random, 0.5, some_span(random, c));
      break;
    case 6:
      visit.leaves = maybe(random, 0.5, some_span(random, c));
      visit.returns =
          maybe(random, 0.5, random.duration(kInstant, c.limits.placeholder + kInstant));
      break;
    case 7:
      visit.when.nth = static_cast<int>(random.between(1, 4));
      break;
    default:
      visit = some_visit(random, c);
      break;
  }
}

void mutate_model(ModelGenes& model, const Case& c, Random& random) {
  switch (random.below(6)) {
    case 0:
      model.size = some_size(random);
      break;
    case 1:
      model.slots = static_cast<int>(random.between(1, 3));
      break;
    case 2:
      model.priority = static_cast<int>(random.between(0, 2));
      break;
    case 3:
      draw_attempts(model, random);
      break;
    case 4:
      model.reload = random.duration(milliseconds(100), model.load_deadline);
      break;
    default:
      model = some_genes(random, c, model.load_deadline);
      break;
  }
}

void mutate_world(Case& c, Random& random) {
  switch (random.below(6)) {
    case 0:
      c.limits.patience = some_seconds(random, 1, 60);
      break;
    case 1:
      c.limits.turn = maybe(random, 0.8, some_seconds(random, 0, 90));
      break;
    case 2:
      c.limits.request_limit = maybe(random, 0.75, some_seconds(random, 1, 90));
      break;
    case 3:
      c.limits.loads_at_once = static_cast<int>(random.between(1, 2));
      break;
    case 4:
      c.limits.users = static_cast<int>(random.between(1, 3));
      break;
    default:
      if (c.models.size() < kMostModels && random.chance(0.5)) {
        c.models.push_back(some_genes(random, c, c.models.front().load_deadline));
      } else if (c.models.size() > 2) {
        c.models.pop_back();
      }
      break;
  }
}

void mutate_once(Case& c, Random& random) {
  const double what = random.unit();
  Visit& visit = c.visits[random.below(c.visits.size())];
  if (what < 0.45) {
    mutate_visit(visit, c, random);
  } else if (what < 0.60 && c.visits.size() < kMostVisits) {
    c.visits.push_back(random.chance(0.5) ? Visit(visit) : some_visit(random, c));
  } else if (what < 0.66 && c.visits.size() > 2) {
    visit = c.visits.back();
    c.visits.pop_back();
  } else if (what < 0.80) {
    mutate_model(c.models[some_model(random, c)], c, random);
  } else if (what < 0.85 && c.strikes.size() < kMostStrikes) {
    c.strikes.push_back(some_strike(random, c));
  } else if (what < 0.93 && !c.strikes.empty()) {
    Strike& strike = c.strikes[random.below(c.strikes.size())];
    if (random.chance(0.4)) {
      strike = c.strikes.back();
      c.strikes.pop_back();
    } else {
      strike = some_strike(random, c);
    }
  } else {
    mutate_world(c, random);
  }
}

}  // namespace

Case draw_case(Random& random) {
  Case c;
  draw_limits(c, random);
  c.limits.budget.in[core::kHostRam] = kBudgetGib * kGiB;
  if (random.chance(0.15)) {
    c.limits.budget.in[1] = kBudgetGib * kGiB;
  }
  c.limits.loads_at_once = random.chance(0.65) ? 1 : 2;
  c.limits.users = static_cast<int>(random.chance(0.55) ? 1 : random.between(2, 3));
  c.limits.policy = random.chance(0.6) ? core::VictimPolicy::Holdfast
                                       : static_cast<core::VictimPolicy>(random.between(1, 4));
  // The bound counts two attempts. Where loads are quick, a wait can come near it without them.
  const Duration load_deadline = some_seconds(random, 1, random.chance(0.5) ? 3 : 60);
  const bool both_attempts = random.chance(0.3);
  for (std::int64_t i = random.between(2, kMostModels); i > 0; --i) {
    c.models.push_back(some_genes(random, c, load_deadline));
    if (both_attempts) {
      c.models.back().attempts = {{LoadEnd::OutOfMemory, 1}, {LoadEnd::Ready, 1}};
    }
  }
  for (std::int64_t i = random.between(4, 20); i > 0; --i) {
    c.visits.push_back(some_visit(random, c));
  }
  for (std::int64_t i = random.chance(0.5) ? 0 : random.between(1, 4); i > 0; --i) {
    c.strikes.push_back(some_strike(random, c));
  }
  return c;
}

void mutate(Case& c, Random& random) {
  for (std::int64_t i = random.between(1, 3); i > 0; --i) {
    mutate_once(c, random);
    make_legal(c);
  }
}

Plan plan_of(const Case& c) {
  Plan plan;
  plan.limits = c.limits;
  for (const ModelGenes& genes : c.models) {
    ModelPlan model;
    core::ModelSpec& spec = model.spec;
    spec.name = "m" + std::to_string(plan.models.size());
    spec.footprint.in[core::kHostRam] = genes.size;
    spec.footprint.in[1] = genes.gpu_size;
    spec.slots = genes.slots;
    spec.priority = genes.priority;
    spec.load_deadline = genes.load_deadline;
    spec.reload = genes.reload;
    spec.longest_answer = c.longest_answer;
    plan.models.push_back(model);
  }
  plan.users = c.limits.users;
  plan.leave = 1;
  plan.bound_checked = true;
  return plan;
}

}  // namespace hf::sim
