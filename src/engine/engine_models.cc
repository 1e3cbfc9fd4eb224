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

// What an administrator can do for a model that does not fit. `budget`: of the domain in which it
// does not; `card`: " on cuda0", or nothing for host RAM.
std::string room_hint(const RunPlan& plan, Bytes budget, Bytes pinned, const std::string& card) {
  if (plan.command) {
    return std::string("it declares that much; set its ") +
           (card.empty() ? "`bytes`" : "`gpu_bytes`") + " lower if it needs less, or " +
           (card.empty() ? "raise memory.budget (now " : "free more of the card (now ") +
           format_bytes(budget) + card + ")";
  }
  std::string hint = "it would run with context = " + std::to_string(plan.context) +
                     " and parallel = " + std::to_string(plan.parallel) + "; set one of them" +
                     (card.empty() ? "" : ", or gpu_layers,") + " lower, take a smaller file of it";
  hint += card.empty() ? ", or raise memory.budget (now " + format_bytes(budget) + ")"
                       : ", or free more of the card (now " + format_bytes(budget) + card + ")";
  if (pinned > Bytes(0)) {
    hint += ", or unpin others (" + format_bytes(pinned) + " are pinned" + card + ")";
  }
  return hint;
}

}  // namespace

Duration Engine::Impl::load_deadline(const ModelFile& file) {
  if (file.plan.command) {
    return file.source.settings.load_within;
  }
  const double bytes = static_cast<double>(file.file_size.count);
  return duration_of_seconds(kLoadGraceSeconds + bytes / kLeastBytesPerSecond);
}

core::Footprint Engine::Impl::footprint_of(const ModelFile& file) const {
  const store::MeasurementKey key = measurement_key(file);
  const auto known = measurements_.find(key);
  // Of a command, what it declares.
  const Bytes charge = known == measurements_.end() || file.plan.command
                           ? file.cost
                           : charge_for(file.plan, known->second, file.parts);
  const auto model = catalog_.by_name(file.source.settings.name);
  const core::Footprint raised = model ? raises_.least(*model, key) : core::Footprint{};
  // What was seen counts, but never so much that a model which was predicted to fit is refused.
  Bytes host = std::min(charge, std::max(file.cost, budget_));
  if (const Bytes lacked = raised.in[core::kHostRam]; lacked > host) {
    // Beside what is pinned, too: only a load that serves ends a raise.
    host = std::max(host, std::min(lacked, budget_ - pinned_bytes(model)));
  }
  return core::Footprint::host(host) + on_cards(file, raised);
}

core::ModelSpec Engine::Impl::spec_of(const ModelFile& file, const ModelCosts& costs) const {
  const config::ModelConfig& settings = file.source.settings;
  core::ModelSpec spec;
  spec.name = settings.name;
  spec.footprint = footprint_of(file);
  spec.slots = settings.parallel;
  spec.priority = settings.priority;
  spec.ttl = settings.ttl;
  spec.reload = costs.reload;
  // A file that cannot be served answers nobody, and must not leave the others without a bound.
  spec.longest_answer = file.problem.empty() ? costs.longest_answer : Duration::zero();
  spec.load_deadline = load_deadline(file);
  return spec;
}

Change Engine::Impl::change_of(const ModelFile& file) const {
  if (!file.is_model) {
    return Change::None;
  }
  const auto known = catalog_.by_name(file.source.settings.name);
  if (!known || !catalog_.at(*known).listed) {
    return Change::Added;
  }
  const ModelFile& before = catalog_.at(*known).file;
  const bool same_file = before.identity == file.identity;
  const bool same_plan = options_key(before.plan) == options_key(file.plan);
  // A context that only the budget decided about does not make a running child wrong.
  const bool other_child =
      !same_file ||
      (!same_plan && (!before.problem.empty() || !runs_alike(before.source, file.source)));
  if (other_child && file.problem.empty() && !serves(*known, file)) {
    return Change::Restarted;
  }
  const bool same =
      same_file && same_plan && before.source == file.source && before.problem == file.problem;
  return same ? Change::None : Change::Changed;
}

// True if the model's child was started for the same file and options: the file was only away for a
// while, or the options are those of before again.
bool Engine::Impl::serves(ModelId model, const ModelFile& file) const {
  const auto running = running_.find(model);
  if (running == running_.end() || running->second.key.file != file_key(file)) {
    return false;
  }
  return running->second.key.options == options_key(file.plan) ||
         runs_alike(running->second.source, file.source);
}

// A new model, a changed file, or a broken one. The core hears of it before any request does.
void Engine::Impl::put_model(ModelFile file) {
  if (!file.is_model) {
    put_unlisted(std::move(file));
    return;
  }
  without_engine(file);
  const std::string name = file.source.settings.name;
  const auto known = catalog_.by_name(name);
  const Change change = change_of(file);
  const bool was_broken = known && !catalog_.at(*known).file.problem.empty();
  const std::string problem = file.problem;
  if (!problem.empty()) {
    spdlog::warn("model {} cannot be served: {}", name, file.detail);
  } else if (was_broken) {
    spdlog::info("model {} can be served again", name);
  } else if (change == Change::Restarted) {
    const bool replaced = catalog_.at(*known).file.identity != file.identity;
    spdlog::info("{} of model {} {}", replaced ? "the file" : "the options", name,
                 replaced ? "was replaced" : "count from its next start");
  }
  if (known) {
    failed_.erase(*known);  // another file or other options: another chance
  }
  warn_of_context(file);
  const config::ModelConfig now = file.source.settings;
  // What a broken or unknown model was wished to be has not been done yet.
  const config::ModelConfig before = change == Change::Added || was_broken
                                         ? config::ModelConfig{}
                                         : catalog_.at(*known).file.source.settings;
  if (change != Change::Added && !problem.empty()) {
    const bool was_pinned = catalog_.at(*known).file.source.settings.pin;
    // The catalogue first: those who are refused now are told the cause. A loaded child goes on;
    // the core starts no other with the empty plan, because this is the next event that it sees.
    note_failed(*known, unusable_file(problem, file.next_step));
    catalog_.put(std::move(file));
    feed(core::event::ModelBroken{*known});
    pins_wanted_.erase(*known);
    if (was_pinned && !now.pin) {
      unpin_configured(*known);
    }
    return;
  }
  const ModelCosts costs = costs_of(file);
  core::event::ModelAdded added;
  added.spec = spec_of(file, costs);
  added.restart = change == Change::Restarted;
  if (!known) {
    added.history = history_of(name);
  }
  added.model = catalog_.put(std::move(file));
  costs_[added.model] = costs;
  feed(added);
  if (!problem.empty()) {
    const std::string& next_step = catalog_.at(added.model).file.next_step;
    note_failed(added.model, unusable_file(problem, next_step));
    feed(core::event::ModelBroken{added.model});  // new: nobody can wait for it yet
    return;
  }
  note_wishes(added.model, before, now);
  if (const auto wish = pins_wanted_.find(added.model); wish != pins_wanted_.end()) {
    wish->second.not_before = TimePoint{};  // another file or other options: another chance
  }
  const bool stays_pinned = now.pin || pinned_by_hand_.contains(added.model);
  if (added.restart && stays_pinned && !pins_wanted_.contains(added.model) &&
      scheduler_->view(added.model).pinned) {
    // Its next process, as soon as the old one has ended.
    pins_wanted_[added.model] = PinWish{.under_way = true, .pinned = true};
    load_pinned(added.model);
  }
}

// Not an error: another version of the engine may know how to stretch it.
void Engine::Impl::warn_of_context(const ModelFile& file) {
  const int wanted = file.source.settings.context.value_or(0);
  if (file.problem.empty() && file.trained_context > 0 && wanted > file.trained_context) {
    warn_once({"model " + file.source.settings.name + ": context = " + std::to_string(wanted) +
               " is more than the " + std::to_string(file.trained_context) +
               " tokens that it was trained for; memory is reserved for all of them, but the "
               "engine uses no more than it was trained for"});
  }
}

// Remembered, so that it is not opened again at every look at the folder, but offered to nobody.
void Engine::Impl::put_unlisted(ModelFile file) {
  const std::string name = file.source.settings.name;
  const auto known = catalog_.by_name(name);
  const bool was_listed = known && catalog_.at(*known).listed;
  core::event::ModelAdded added;
  added.spec = spec_of(file, costs_of(file));
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

std::map<std::string, ModelFile> Engine::Impl::known_files() const {
  std::map<std::string, ModelFile> known;
  for (std::uint32_t i = 0; i < catalog_.size(); ++i) {
    const Catalog::Entry& entry = catalog_.at(ModelId(i));
    if (entry.listed || !entry.file.is_model) {
      known.emplace(entry.file.source.settings.name, entry.file);
    }
  }
  return known;
}

// New, replaced and vanished files, looked for on the worker.
void Engine::Impl::rescan() {
  if (scanning_ || stopped_) {
    return;
  }
  scanning_ = true;
  worker_.run([this, config = config_, known = known_files(), budget = budget_,
               cards = card_room(gpu_.get(), *config_), alive = alive_] {
    const auto scan = attempt([&] { return scan_models(*config, known, budget, false, cards); });
    boost::asio::post(io_, [this, scan, alive] {
      if (*alive) {
        scanning_ = false;
        if (scan) {
          apply_scan(std::move(*scan), *config_);
        }
        next_reload();
      }
    });
  });
}

void Engine::Impl::apply_scan(Scan scan, const config::Config& config) {
  warn_once(scan.found.warnings);
  for (ModelFile& file : scan.changed) {
    if (!catalog_.by_name(file.source.settings.name)) {
      spdlog::info("new model {}", file.source.settings.name);
    }
    put_model(std::move(file));
  }
  const std::vector<ModelId> missing = missing_in(scan.found, config);
  for (const ModelId model : missing) {
    spdlog::info("model {} is gone", catalog_.name(model));
    catalog_.unlist(model);
    pinned_by_hand_.erase(model);
    pins_wanted_.erase(model);
    feed(core::event::ModelRemoved{model});
  }
  if (!scan.changed.empty() || !missing.empty()) {
    tune_all();  // each one's figures may be estimated from the others'
  }
  follow_wishes();
}

// Listed models that were not found. Where the look at models_dir broke off, what lies below it may
// still be there.
std::vector<ModelId> Engine::Impl::missing_in(const Found& found,
                                              const config::Config& config) const {
  std::set<std::string> names;
  for (const ModelSource& source : found.sources) {
    names.insert(source.settings.name);
  }
  std::vector<ModelId> missing;
  for (std::uint32_t i = 0; i < catalog_.size(); ++i) {
    const Catalog::Entry& entry = catalog_.at(ModelId(i));
    const auto below = entry.file.source.path.lexically_relative(config.models_dir);
    const bool inside = !below.empty() && *below.begin() != "..";
    if (entry.listed && !names.contains(catalog_.name(ModelId(i))) && (found.complete || !inside)) {
      missing.emplace_back(i);
    }
  }
  return missing;
}

void Engine::Impl::warn_once(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    if (told_.insert(warning).second) {
      spdlog::warn("{}", warning);
    }
  }
}

// For the client: the core knows that a load failed, the record of it says why.
std::string Engine::Impl::refused_because(ModelId model, core::Why why) const {
  using core::Why;
  if (why == Why::ModelBroken) {
    return catalog_.at(model).file.problem;
  }
  const std::string known = core::describe(core::Reason{.why = why}, "");
  const auto failed = failed_.find(model);
  if (failed == failed_.end()) {
    return known;
  }
  const FailedAttempt& attempt = failed->second;
  if (why != Why::ModelFailed) {
    return known + ": " + attempt.cause;
  }
  const bool crashed = attempt.kind == FailedAttempt::Kind::Crash;
  return (crashed ? "its engine process crashes repeatedly: " : "its last load failed: ") +
         attempt.cause + "; the next attempt is allowed later";
}

Refusal Engine::Impl::refusal_of(ModelId model, const core::Reason& reason,
                                 Duration retry_after) const {
  using core::Why;
  Refusal refusal;
  refusal.reason = reason;
  refusal.retry_after = retry_after;
  const bool failed =
      reason.why == Why::LoadFailed || reason.why == Why::ModelFailed || reason.why == Why::Crashed;
  refusal.message = failed || reason.why == Why::ModelBroken ? refused_because(model, reason.why)
                                                             : core::describe(reason, "");
  const std::string card = on_domain(gpu_.get(), reason.domain);
  if (reason.why == Why::ModelBroken) {
    refusal.hint = catalog_.at(model).file.next_step;
  } else if (const auto attempt = failed_.find(model); failed && attempt != failed_.end()) {
    refusal.hint = attempt->second.next_step;
  } else if (reason.why == Why::NeverFits) {
    const core::Limits& limits = scheduler_->limits();
    const Bytes most = limits.budget.in[reason.domain] + limits.taken.in[reason.domain];
    const Bytes budget = reason.domain == core::kHostRam ? budget_ : most;
    refusal.hint = room_hint(catalog_.at(model).file.plan, budget, most - reason.have, card);
  } else if (reason.why == Why::CardTaken) {
    refusal.message = "it needs " + format_bytes(reason.need) + card +
                      ", and other programs leave " + format_bytes(reason.have) + " there now";
    refusal.hint = "it is served again as soon as they give that memory back";
  }
  return refusal;
}

}  // namespace hf::engine
