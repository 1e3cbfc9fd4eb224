// From a configuration to a running engine.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>

#include "base/units.h"
#include "engine/card_plan.h"
#include "engine/find_engine.h"
#include "engine/impl.h"
#include "engine/queue_limits.h"

namespace hf::engine {
Result<void> Engine::Impl::open_engine() {
  auto program = find_engine_program(config_->engine);
  if (!program) {
    return fail(std::move(program.error()));
  }
  auto traits = process::probe_engine(*program);
  if (!traits) {
    return fail(std::move(traits.error()).with_context("engine"));
  }
  traits_ = std::move(*traits);
  spdlog::info("engine: {} {}", traits_.path, traits_.version);
  return {};
}

Result<void> Engine::Impl::open_parts() {
  if (auto opened = open_engine(); !opened) {
    const std::vector<config::ModelConfig>& models = config_->models;
    if (std::none_of(models.begin(), models.end(),
                     [](const config::ModelConfig& model) { return model.is_command(); })) {
      return opened;
    }
    spdlog::warn("{}; only models with a `command` can be served", opened.error().message);
  }
  auto run_dir = process::RunDir::create();
  if (!run_dir) {
    return fail(std::move(run_dir.error()).with_context("run directory"));
  }
  run_dir_.emplace(std::move(*run_dir));

  if (config_->store.journal) {
    auto journal = store::Journal::open(*config_->store.journal);
    if (!journal) {
      return fail(std::move(journal.error()).with_context("store.journal"));
    }
    journal_.emplace(std::move(*journal));
    write(store::JournalLine(monotonic_ms(), "start").pid(::getpid()));
  }
  // History is never needed to serve: without it the server knows less, and says so.
  auto store = store::Store::open(config_->store.path);
  if (!store) {
    spdlog::warn("history is off: {}", store.error().message);
    return {};
  }
  if (store->warning()) {
    spdlog::warn("history: {}", *store->warning());
  }
  auto history = store->load_all();
  if (!history) {
    spdlog::warn("history is off: {}", history.error().message);
    return {};
  }
  for (store::ModelStats& stats : history->models) {
    std::string name = stats.name;
    stats_.emplace(std::move(name), std::move(stats));
  }
  for (store::MeasurementRow& row : history->measurements) {
    speeds_.emplace(row.key, Speeds{store::SlowestRate(row.value.slowest_decode),
                                    store::SlowestRate(row.value.slowest_prefill)});
    measurements_.emplace(std::move(row.key), row.value);
  }
  store_ = std::make_shared<store::Store>(std::move(*store));
  if (records_requests()) {
    recorder_.add_start(wall_clock_ms());
    wall_clock_.is_believed(now(), wall_clock_ms());  // its first look
  } else if (auto forgotten = store_->forget_requests(); !forgotten) {
    spdlog::warn("history: what is there of requests could not be deleted: {}",
                 forgotten.error().message);
  }
  return {};
}

void Engine::Impl::read_machine() {
  const auto snapshot =
      readers::read_snapshot(config_->memory.proc_root, config_->memory.without, now());
  if (snapshot) {
    machine_at_start_ = snapshot->machine;
  } else {
    spdlog::warn("memory cannot be read ({}); pressure is not watched", snapshot.error().message);
  }
}

// What others used at the start is what they are taken to use: later readings hold our own children
// too.
Bytes Engine::Impl::budget_of(const config::Config& config) const {
  if (config.memory.budget) {
    if (*config.memory.budget != budget_) {
      spdlog::info("budget: {} (configured)", format_bytes(*config.memory.budget));
    }
    return *config.memory.budget;
  }
  const readers::BudgetTerms terms = readers::default_budget(machine_at_start_, config.memory.high);
  if (terms.budget != budget_) {
    spdlog::info("budget: {} = {}", format_bytes(terms.budget), readers::arithmetic(terms));
  }
  return terms.budget;
}

core::Limits Engine::Impl::limits_of(const config::Config& config) const {
  core::Limits limits = queue_limits(config);
  limits.budget = core::Footprint::host(yielding_.current()) + card_budgets(gpu_.get(), config);
  limits.taken = taken_of_cards(gpu_.get(), config);
  if (has_cards()) {
    limits.stop_deadline += kDriverWait;  // its bytes are free when the driver has them back
  }
  limits.users = std::max(1, static_cast<int>(config.users.size()));
  limits.all_in_use_warning = config.queue.all_in_use_warning;
  limits.drain = config.drain;
  limits.high = config.memory.high;
  limits.low = config.memory.low;
  limits.critical = config.memory.critical;
  return limits;
}

Result<void> Engine::Impl::start() {
  auto opened = open_parts();
  if (!opened) {
    return opened;
  }
  read_machine();
  budget_ = budget_of(*config_);
  yielding_.reset(budget_);
  find_cards();
  tell_card_budgets();
  open_fence();
  scheduler_.emplace(limits_of(*config_));
  add_all_models();
  start_timers();
  return {};
}

void Engine::Impl::add_all_models() {
  const Found found = find_models(*config_);
  warn_once(found.warnings);
  CardRoom cards = card_room(gpu_.get(), *config_);
  for (const ModelSource& source : found.sources) {
    ModelFile file = inspect(source, budget_, cards);
    count_in(cards, file, 1);
    put_model(std::move(file));
  }
  tune_all();  // now that the speeds of all of them are known
  spdlog::info("{} models", catalog_.size());
  follow_wishes();
}

}  // namespace hf::engine
