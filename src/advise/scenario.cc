#include "advise/scenario.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace hf::advise {
namespace {

constexpr std::array<double, 6> kFactors{0.5, 0.75, 1.5, 2, 3, 4};
// More would make a long table of small differences.
constexpr std::size_t kPinned = 5;
constexpr std::size_t kSmaller = 3;
// Of models that were never stopped, from SIGTERM to the reap: 5 to 310 ms were measured.
constexpr Duration kStop = std::chrono::milliseconds(200);

std::vector<std::size_t> all_models(const Case& history) {
  std::vector<std::size_t> models(history.models.size());
  std::iota(models.begin(), models.end(), std::size_t{0});
  return models;
}

void add_pins(const Case& history, std::vector<Scenario>& scenarios) {
  std::vector<std::size_t> models = all_models(history);
  std::stable_sort(models.begin(), models.end(), [&](std::size_t a, std::size_t b) {
    return history.facts[a].uses > history.facts[b].uses;
  });
  std::erase_if(models, [&](std::size_t model) {
    const sim::ReplayModel& facts = history.models[model];
    return facts.pinned || !facts.footprint.fits_in(history.limits.budget);
  });
  models.resize(std::min(models.size(), kPinned));
  for (const std::size_t model : models) {
    scenarios.push_back({Kind::Pin, 1, {model}, {}});
  }
}

void add_quantisations(const Case& history, std::vector<Scenario>& scenarios) {
  std::vector<std::size_t> models = all_models(history);
  std::erase_if(models, [&](std::size_t model) {
    return history.facts[model].bits_per_weight < kSmallBits * kWorthSmaller;
  });
  std::stable_sort(models.begin(), models.end(), [&](std::size_t a, std::size_t b) {
    return history.models[a].footprint.total() > history.models[b].footprint.total();
  });
  models.resize(std::min(models.size(), kSmaller));
  for (const std::size_t model : models) {
    scenarios.push_back({Kind::Quantisation, 1, {model}, {}});
  }
  if (models.size() > 1) {
    scenarios.push_back({Kind::Quantisation, 1, models, {}});
  }
}

double small_share(const Case& history, std::size_t model) {
  return kSmallBits / history.facts[model].bits_per_weight;
}

sim::ReplayOptions options_of(const Case& history, const Scenario& scenario) {
  sim::ReplayOptions options;
  options.limits = history.limits;
  options.limits.budget = budget_of(history, scenario);
  options.models = history.models;
  options.queue_limit = true;
  options.restarts = history.restarts;
  options.stop = kStop;
  if (scenario.kind == Kind::Policy) {
    options.limits.policy = scenario.policy;
  }
  for (const std::size_t model : scenario.models) {
    sim::ReplayModel& changed = options.models[model];
    if (scenario.kind == Kind::Pin) {
      changed.pinned = true;
    } else {
      changed.footprint = small_footprint(history, model);
      changed.load = duration_of_seconds(seconds_of(changed.load) * small_share(history, model));
    }
  }
  return options;
}

// Loading and decoding read the weights: both take less in the measure in which they shrink.
sim::Trace faster_answers(const Case& history, const Scenario& scenario) {
  sim::Trace trace = history.trace;
  std::vector<double> share(history.models.size(), 1);
  for (const std::size_t model : scenario.models) {
    share[model] = small_share(history, model);
  }
  for (sim::TraceRow& row : trace.rows) {
    if (row.service) {
      row.service = duration_of_seconds(seconds_of(*row.service) * share[row.model.value]);
    }
  }
  return trace;
}

}  // namespace

core::Footprint scaled(const core::Footprint& footprint, double factor) {
  core::Footprint result;
  for (std::size_t d = 0; d < core::kDomains; ++d) {
    result.in.at(d) = Bytes(std::llround(static_cast<double>(footprint.in.at(d).count) * factor));
  }
  return result;
}

core::Footprint budget_of(const Case& history, const Scenario& scenario) {
  return scenario.kind == Kind::Budget ? scaled(history.limits.budget, scenario.factor)
                                       : history.limits.budget;
}

core::Footprint small_footprint(const Case& history, std::size_t model) {
  const core::Footprint& now = history.models[model].footprint;
  const auto total = static_cast<double>(now.total().count);
  const double weights = std::min(total, static_cast<double>(history.facts[model].weights.count));
  const double saved = weights * (1 - small_share(history, model));
  return scaled(now, (total - saved) / total);
}

std::vector<Scenario> scenarios_of(const Case& history) {
  std::vector<Scenario> scenarios{Scenario{}};
  for (const double factor : kFactors) {
    scenarios.push_back({Kind::Budget, factor, {}, {}});
  }
  add_pins(history, scenarios);
  add_quantisations(history, scenarios);
  for (const auto policy :
       {core::VictimPolicy::Holdfast, core::VictimPolicy::Lru, core::VictimPolicy::Lfu,
        core::VictimPolicy::Gdsf, core::VictimPolicy::Largest}) {
    if (policy != history.limits.policy) {
      scenarios.push_back({Kind::Policy, 1, {}, policy});
    }
  }
  return scenarios;
}

Figures figures_of(const Case& history, const Scenario& scenario) {
  const bool faster = scenario.kind == Kind::Quantisation;
  const sim::Trace changed = faster ? faster_answers(history, scenario) : sim::Trace{};
  const sim::Trace& trace = faster ? changed : history.trace;
  const sim::ReplayResult result = sim::replay(trace, options_of(history, scenario));
  Figures figures;
  figures.loads = result.loads;
  figures.load_time = result.load_time;
  figures.evictions = result.evictions;
  figures.unserved = result.refused + result.left;
  figures.wait = result.wait;
  for (std::size_t i = 0; i < trace.rows.size(); ++i) {
    if (const auto& wait = result.waits[i]) {
      figures.waited += *wait;
    } else if (const auto& patience = trace.rows[i].patience) {
      figures.waited += *patience;
    }
  }
  return figures;
}

}  // namespace hf::advise
