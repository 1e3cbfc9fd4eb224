// What is remembered of requests, for `holdfast advise`: gathered here, written every few seconds
// on the worker.
#include <spdlog/spdlog.h>

#include <utility>

#include "engine/impl.h"

namespace hf::engine {
namespace {

// Rows bear the time of their arrival, so none is of the future; a clock that is brought into step
// may have gone back a little since.
constexpr std::int64_t kClocksDiffer = 60'000;  // ms

store::Outcome outcome_of(core::Why why) {
  if (why == core::Why::QueueFull || why == core::Why::UserLimit) {
    return store::Outcome::QueueFull;
  }
  return why == core::Why::NeverFits ? store::Outcome::NeverFits : store::Outcome::Failed;
}

}  // namespace

bool Engine::Impl::records_requests() const {
  return store_ && config_->store.history;
}

// Its wait ended without a grant.
void Engine::Impl::note_ungranted(const Waiting& waiting, store::Outcome outcome) {
  if (!records_requests() || waiting.kind != core::TicketKind::Request) {
    return;
  }
  const Duration waited = now() - waiting.asked;
  recorder_.add(waiting.model, store::LoggedRequest{.at_ms = wall_clock_ms() - millis_of(waited),
                                                    .user = waiting.user.value,
                                                    .waited = waited,
                                                    .outcome = outcome,
                                                    .cold = waiting.cold});
}

void Engine::Impl::note_refused(const Waiting& waiting, core::Why why) {
  note_ungranted(waiting, outcome_of(why));
}

void Engine::Impl::note_served(const Held& held, store::Outcome outcome) {
  if (!records_requests()) {
    return;
  }
  const TimePoint ended = now();
  recorder_.add(held.model,
                store::LoggedRequest{.at_ms = wall_clock_ms() - millis_of(ended - held.asked),
                                     .user = held.user.value,
                                     .waited = held.granted - held.asked,
                                     .served = ended - held.granted,
                                     .outcome = outcome,
                                     .cold = held.cold});
}

void Engine::Impl::note_load(ModelId model, Duration took) {
  if (records_requests()) {
    recorder_.add(model, store::LoggedLoad{.at_ms = wall_clock_ms(), .took = took});
  }
}

store::LoggedModel Engine::Impl::logged_model(ModelId id) const {
  const Catalog::Entry& entry = catalog_.at(id);
  const core::ModelView view = scheduler_->view(id);
  store::LoggedModel model;
  model.name = view.name;
  model.footprint = view.estimate;
  model.weights = entry.file.file_size;
  model.bits_per_weight = entry.file.bits_per_weight;
  if (const auto costs = costs_.find(id); costs != costs_.end()) {
    model.reload = costs->second.reload;
  }
  if (const auto stop = stops_.find(id); stop != stops_.end()) {
    model.stop = stop->second;
  }
  model.slots = view.slots;
  model.priority = entry.file.source.settings.priority;
  model.ttl = entry.file.source.settings.ttl;
  model.pinned = view.pinned;
  return model;
}

void Engine::Impl::save_requests() {
  if (recorder_.empty()) {
    return;
  }
  RequestRecorder::Batch batch = recorder_.take();
  if (!records_requests()) {
    return;  // switched off meanwhile
  }
  if (batch.dropped > 0) {
    spdlog::warn("history: {} requests were not recorded, too many came at once", batch.dropped);
  }
  for (const ModelId model : batch.models) {
    batch.log.models.push_back(logged_model(model));
  }
  batch.log.budget = scheduler_->memory().budget;
  store::Keep keep;
  const std::int64_t wall_ms = wall_clock_ms();
  if (wall_clock_.is_believed(now(), wall_ms)) {
    keep.since_ms = wall_ms - millis_of(*config_->store.history);
    keep.until_ms = wall_ms + kClocksDiffer;
  }
  worker_.run([store = store_, log = std::move(batch.log), keep] {
    if (auto saved = store->save_requests(log, keep); !saved) {
      spdlog::warn("history: {}", saved.error().message);
    }
  });
}

}  // namespace hf::engine
