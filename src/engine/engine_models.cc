// Models in the core's terms: what a file becomes, and what a refusal says.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <set>

#include "base/units.h"
#include "engine/impl.h"

namespace hf::engine {
namespace {

// A load that is slower than 50 MB/s after a minute's grace is stuck, not slow.
constexpr double kLeastBytesPerSecond = 50e6;
constexpr double kLoadGraceSeconds = 60;

}  // namespace

core::ModelSpec Engine::Impl::spec_of(const ModelFile& file) const {
  const config::ModelConfig& settings = file.source.settings;
  core::ModelSpec spec;
  spec.name = settings.name;
  spec.footprint = core::Footprint::host(file.cost);
  spec.slots = settings.parallel;
  spec.priority = settings.priority;
  spec.ttl = settings.ttl;
  const ModelCosts costs = costs_of(file);
  spec.reload = costs.reload;
  // A file that cannot be served answers nobody, and must not leave the others without a bound.
  spec.longest_answer = file.problem.empty() ? costs.longest_answer : Duration::zero();
  const double bytes = static_cast<double>(file.file_size.count);
  spec.load_deadline = duration_of_seconds(kLoadGraceSeconds + bytes / kLeastBytesPerSecond);
  if (const auto known = measurements_.find(measurement_key(file)); known != measurements_.end()) {
    // What was seen counts, but never so much that a model which was predicted to fit is refused.
    const Bytes budget = scheduler_->memory().budget.in[core::kHostRam];
    const Bytes seen = std::min(known->second.high_water, std::max(file.cost, budget));
    spec.footprint = core::Footprint::host(std::max(file.cost, seen));
  }
  return spec;
}

// A new model, a changed file, or a broken one. The core hears of it before any request does.
void Engine::Impl::put_model(ModelFile file) {
  const std::string name = file.source.settings.name;
  const auto known = catalog_.by_name(name);
  const bool was_broken = known && !catalog_.at(*known).file.problem.empty();
  const bool plan_changed = known && options_key(catalog_.at(*known).file.plan) +
                                             gguf::to_string(catalog_.at(*known).file.identity) !=
                                         options_key(file.plan) + gguf::to_string(file.identity);
  if (!file.is_model) {
    put_unlisted(std::move(file));
    return;
  }
  const std::string problem = file.problem;
  if (!problem.empty()) {
    spdlog::warn("model {} cannot be served: {}", name, file.detail);
  } else if (was_broken) {
    spdlog::info("model {} can be served again", name);
  } else if (known && plan_changed) {
    spdlog::info("the file of model {} was replaced", name);
  }
  if (known && !problem.empty()) {
    // One event, before the core can look at an empty plan: a loaded child goes on with the old
    // one.
    feed(core::event::ModelBroken{*known});
    catalog_.put(std::move(file));
    return;
  }
  const bool pin = file.source.settings.pin && problem.empty();
  const bool came = !known || was_broken || !catalog_.at(*known).listed;
  core::event::ModelAdded added;
  added.spec = spec_of(file);
  added.restart = plan_changed;
  if (!known) {
    added.history = history_of(name);
  }
  const ModelCosts costs = costs_of(file);
  added.model = catalog_.put(std::move(file));
  costs_[added.model] = costs;
  feed(added);
  if (!problem.empty()) {
    feed(core::event::ModelBroken{added.model});  // new: nobody can wait for it yet
  }
  if (pin && came) {
    pin_configured(added.model);
  }
}

// Remembered, so that it is not opened again at every look at the folder, but offered to nobody.
void Engine::Impl::put_unlisted(ModelFile file) {
  const std::string name = file.source.settings.name;
  const auto known = catalog_.by_name(name);
  const bool was_listed = known && catalog_.at(*known).listed;
  core::event::ModelAdded added;
  added.spec = spec_of(file);
  added.model = catalog_.put(std::move(file));
  catalog_.unlist(added.model);
  if (!known) {
    spdlog::info("{} is an adapter or a part of a model, not a model", name);
    feed(added);
  }
  if (!known || was_listed) {
    feed(core::event::ModelRemoved{added.model});
  }
}

std::optional<core::UseHistory> Engine::Impl::history_of(const std::string& name) const {
  const auto stats = stats_.find(name);
  if (stats == stats_.end()) {
    return std::nullopt;
  }
  core::UseHistory history;
  history.use_count =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, stats->second.use_count));
  history.episodes = stats->second.episodes;
  const auto since_ms = std::max<std::int64_t>(0, wall_clock_ms() - stats->second.last_use_ms);
  // Longer ago than this is all alike, and stays a valid point in time.
  const Duration longest = std::chrono::hours(24 * 300);
  // Bounded before the conversion: an absurd wall clock must not overflow.
  const auto bounded_ms = std::min<std::int64_t>(since_ms, millis_of(longest));
  history.since_last_use = std::chrono::milliseconds(bounded_ms);
  return history;
}

// New, replaced and vanished files, looked for on the worker.
void Engine::Impl::rescan() {
  if (rescanning_ || stopped_) {
    return;
  }
  rescanning_ = true;
  std::map<std::string, ModelFile> known;
  for (std::uint32_t i = 0; i < catalog_.size(); ++i) {
    const Catalog::Entry& entry = catalog_.at(ModelId(i));
    if (entry.listed || !entry.file.is_model) {
      known.emplace(entry.file.source.settings.name, entry.file);
    }
  }
  const Bytes budget = scheduler_->memory().budget.in[core::kHostRam];
  worker_.run([this, config = config_, known = std::move(known), budget, alive = alive_] {
    auto found = std::make_shared<Found>(find_models(*config));
    auto changed = std::make_shared<std::vector<ModelFile>>();
    for (const ModelSource& source : found->sources) {
      const auto before = known.find(source.settings.name);
      if (before == known.end() || !(before->second.source == source) ||
          has_changed(before->second)) {
        changed->push_back(inspect(source, budget));
      }
    }
    boost::asio::post(io_, [this, found, changed, alive] {
      if (*alive) {
        rescanning_ = false;
        apply_rescan(*found, std::move(*changed));
      }
    });
  });
}

void Engine::Impl::apply_rescan(const Found& found, std::vector<ModelFile> changed) {
  warn_once(found.warnings);
  for (ModelFile& file : changed) {
    if (!catalog_.by_name(file.source.settings.name)) {
      spdlog::info("new model {}", file.source.settings.name);
    }
    put_model(std::move(file));
  }
  if (!changed.empty()) {
    tune_all();
  }
  if (!found.complete) {
    return;  // what was not seen may still be there
  }
  std::set<std::string> names;
  for (const ModelSource& source : found.sources) {
    names.insert(source.settings.name);
  }
  for (std::uint32_t i = 0; i < catalog_.size(); ++i) {
    const ModelId model(i);
    if (catalog_.at(model).listed && !names.contains(catalog_.name(model))) {
      spdlog::info("model {} is gone", catalog_.name(model));
      catalog_.unlist(model);
      feed(core::event::ModelRemoved{model});
    }
  }
}

void Engine::Impl::warn_once(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    if (told_.insert(warning).second) {
      spdlog::warn("{}", warning);
    }
  }
}

Refusal Engine::Impl::refusal_of(ModelId model, const core::Reason& reason,
                                 Duration retry_after) const {
  using core::Why;
  Refusal refusal;
  refusal.reason = reason;
  refusal.retry_after = retry_after;
  refusal.message =
      reason.why == Why::ModelBroken ? catalog_.at(model).file.problem : core::describe(reason, "");
  return refusal;
}

}  // namespace hf::engine
