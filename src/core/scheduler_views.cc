// Bounds, estimates and views: what the core says of itself.
#include <algorithm>
#include <cmath>

#include "base/assert.h"
#include "core/bound.h"
#include "core/scheduler.h"

namespace hf::core {

Duration Scheduler::longest_load() const {
  Duration longest{};
  for (const Model& model : models_) {
    longest = std::max(longest, model.spec.load_deadline);
  }
  return 2 * longest;  // both attempts
}

Duration Scheduler::longest_turn() const {
  Duration longest{};
  for (const Model& model : models_) {
    longest = std::max(longest, turn_of(model));
  }
  return longest;
}

// R: nullopt as long as one model that could hold memory has an answer length nobody knows.
std::optional<Duration> Scheduler::longest_answer() const {
  if (limits_.request_limit) {
    return limits_.request_limit;
  }
  Duration longest{};
  for (const Model& model : models_) {
    if (!model.listed) {
      continue;
    }
    if (!model.spec.longest_answer) {
      return std::nullopt;
    }
    longest = std::max(longest, *model.spec.longest_answer);
  }
  return longest;
}

void Scheduler::publish_bound(Model& model, WaitingTicket& ticket) {
  const std::optional<Duration> answer = longest_answer();
  if (!answer) {
    return;
  }
  BoundTerms terms;
  terms.patience = limits_.patience;
  terms.turn = longest_turn();
  terms.answer = *answer;
  terms.load = longest_load();
  terms.stop = limits_.stop_deadline;
  terms.place = model.queue.place_of(ticket);
  terms.models = 0;
  bool outranked = false;
  for (const Model& other : models_) {
    const bool loadable = other.listed && other.spec.footprint.fits_in(ledger_.budget());
    terms.models += loadable ? 1 : 0;
    outranked = outranked || (loadable && other.spec.priority > model.spec.priority);
  }
  terms.models = std::max(1, terms.models);
  Standing standing = Standing::OpenButFull;
  if (model.state == State::Loading) {
    standing = Standing::Loading;
  } else if (!model.open()) {
    standing = Standing::InLine;
    const int position = line_position(model);
    terms.ahead = std::max(0, position - 1) + (outranked ? 1 : 0);
    if (owner_ && *owner_ != model.id && models_[owner_->value].line_number > model.line_number) {
      ++terms.ahead;
    }
  }
  const TimePoint deadline = now_ + wait_bound(terms, model.spec.slots, standing);
  if (!ticket.deadline || deadline < *ticket.deadline) {
    ticket.deadline = deadline;  // a published deadline never moves later
    ticket.terms = terms;
  }
}

Worth Scheduler::worth(const Model& model) const {
  Worth w;
  w.episodes = decayed_episodes(model.episodes, now_ - model.episodes_at);
  w.use_count = model.use_count;
  w.uses_since_load = model.uses_since_load;
  const bool in_use = !model.leases.empty() || model.state == State::Loading;
  w.idle = in_use ? Duration::zero() : now_ - model.last_use;
  w.reload = model.spec.reload;
  w.bytes = (model.has_child() ? model.reserved : model.spec.footprint).total();
  w.inflation = model.inflation;
  return w;
}

int Scheduler::line_position(const Model& model) const {
  const auto at = std::find(line_.begin(), line_.end(), model.id);
  return at == line_.end() ? 0 : static_cast<int>(at - line_.begin()) + 1;
}

ModelView Scheduler::view(ModelId id) const {
  const Model* model = find(id);
  HF_ASSERT(model != nullptr, "views are asked for known models");
  ModelView v;
  v.id = id;
  v.name = model->spec.name;
  // A file that cannot be served looks like a load that failed, because that is how it would end.
  v.state = model->broken && model->state == State::Absent ? State::Failed : model->state;
  v.generation = model->generation;
  v.pinned = model->pinned;
  v.leases = static_cast<int>(model->leases.size());
  v.waiting = model->queue.live();
  v.slots = model->spec.slots;
  v.use_count = model->use_count;
  v.episodes = decayed_episodes(model->episodes, now_ - model->episodes_at);
  const bool in_use = !model->leases.empty() || !model->has_child();
  v.idle = in_use ? Duration::zero() : now_ - std::max(model->last_use, model->state_since);
  v.since_last_use = now_ - model->last_use;
  v.in_state = now_ - model->state_since;
  v.reserved = model->reserved;
  v.measured = model->measured;
  v.estimate = model->spec.footprint;
  v.value = value_of(worth(*model), limits_.policy);
  v.listed = model->listed;
  v.broken = model->broken;
  if (model->state == State::Failed && model->failed_until > now_) {
    v.failed_for = model->failed_until - now_;
  }
  return v;
}

// An expectation, not a promise: loads ahead, what the victims still run, the own load, the own
// queue.
Duration Scheduler::eta_of(const Model& model) const {
  const double rounds =
      std::ceil(std::max(1, model.queue.live()) / static_cast<double>(model.spec.slots)) - 1;
  double seconds = rounds * model.mean_answer_s;
  if (model.state == State::Loading) {
    const Duration done = now_ - model.state_since;
    return duration_of_seconds(seconds) + std::max(Duration::zero(), model.spec.reload - done);
  }
  if (model.open()) {
    return duration_of_seconds(seconds + model.mean_answer_s / model.spec.slots);
  }
  seconds += seconds_of(model.spec.reload);
  for (const ModelId id : line_) {
    if (id == model.id) {
      break;
    }
    seconds += seconds_of(models_[id.value].spec.reload);
  }
  double victims = 0;
  if (!model.spec.footprint.fits_in(ledger_.free())) {
    for (const ModelId id : resident_) {
      const Model& other = models_[id.value];
      if (!other.leases.empty()) {
        const Duration turn_left =
            std::max(Duration::zero(), other.ready_since + turn_of(other) - now_);
        const Duration patience_left =
            std::max(Duration::zero(), model.queue.oldest() + limits_.patience - now_);
        const double gate_in =
            other.state == State::Gated ? 0 : seconds_of(std::max(turn_left, patience_left));
        victims = std::max(victims, gate_in + other.mean_answer_s);
      }
    }
  }
  return duration_of_seconds(seconds + victims);
}

// When a refused client should come back: the time until about half of the queue has been served.
Duration Scheduler::retry_after(const Model& model) const {
  const double half = model.queue.live() / 2.0 / model.spec.slots * model.mean_answer_s;
  return std::clamp(duration_of_seconds(std::ceil(half)), Duration(std::chrono::seconds(1)),
                    Duration(std::chrono::seconds(300)));
}

WaitView Scheduler::wait_view(const Model& model) const {
  WaitView w;
  w.model = model.id;
  w.requests = model.queue.live();
  w.oldest = now_ - model.queue.oldest_live();
  w.position = line_position(model);
  w.eta = eta_of(model);
  const bool paused = pressure_.level() != PressureLevel::Normal;
  const Duration pause = paused ? now_ - pressure_since_ : Duration::zero();
  std::optional<TimePoint> latest;
  bool all_known = true;
  for (const WaitingTicket& ticket : model.queue.tickets()) {
    if (ticket.live()) {
      all_known = all_known && ticket.deadline.has_value();
      latest = std::max(latest, ticket.deadline);
    }
  }
  if (all_known && latest) {
    w.bound = std::max(Duration::zero(), *latest + pause - now_);
  }
  for (const ModelId id : resident_) {
    const Model& other = models_[id.value];
    if (id != model.id && (!other.leases.empty() || other.state != State::Ready)) {
      w.blockers.push_back(id);
    }
  }
  const Footprint& size = model.spec.footprint;
  if (model.state == State::Loading) {
    w.waiting_for = WaitingFor::Load;
    w.blockers.clear();
  } else if (model.open()) {
    w.waiting_for = WaitingFor::Slot;
    w.blockers = {model.id};
  } else if (paused) {
    w.waiting_for = WaitingFor::Pressure;
  } else if (model.state == State::Stopping) {
    w.waiting_for = WaitingFor::Reap;
    w.blockers = {model.id};
  } else if (model.state == State::Gated || owner_) {
    w.waiting_for = WaitingFor::Drain;
  } else if (size.fits_in(ledger_.free())) {
    const bool slot_free = loading_ < limits_.loads_at_once;  // then it is others who go first
    w.waiting_for = slot_free ? WaitingFor::Turn : WaitingFor::LoadSlot;
  } else if (size.fits_in(ledger_.free() + ledger_.leaving())) {
    w.waiting_for = WaitingFor::Reap;
  } else if (urgent()) {
    w.waiting_for = WaitingFor::Turn;
  } else {
    w.waiting_for = WaitingFor::Memory;
  }
  return w;
}

std::vector<WaitView> Scheduler::waiting() const {
  std::vector<WaitView> views;
  for (const ModelId id : line_) {
    if (models_[id.value].queue.live() > 0) {
      views.push_back(wait_view(models_[id.value]));
    }
  }
  for (const ModelId id : resident_) {
    const Model& model = models_[id.value];
    if (!model.line_number && model.queue.live() > 0) {
      views.push_back(wait_view(model));
    }
  }
  return views;
}

MemoryView Scheduler::memory() const {
  return MemoryView{ledger_.budget(), ledger_.reserved(), ledger_.debt(), pressure_.used_percent(),
                    pressure_.level()};
}

std::optional<TimePoint> Scheduler::deadline_of(TicketId ticket) const {
  const auto place = places_.find(ticket);
  if (place == places_.end() || place->second.leased) {
    return std::nullopt;
  }
  const WaitingTicket* waiting = models_[place->second.model.value].queue.find(ticket);
  return waiting == nullptr ? std::nullopt : waiting->deadline;
}

bool Scheduler::overdue() const {
  const bool clocks_stand = pressure_.level() != PressureLevel::Normal;
  for (const Model& model : models_) {
    if (model.queue.live() >= limits_.max_waiting) {
      return true;
    }
    if (clocks_stand) {
      continue;
    }
    for (const WaitingTicket& ticket : model.queue.tickets()) {
      if (ticket.live() && ticket.deadline && *ticket.deadline < now_) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace hf::core
