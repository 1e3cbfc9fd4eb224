// Views: what the core says of itself.
#include <algorithm>

#include "base/assert.h"
#include "core/scheduler.h"

namespace hf::core {

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
  v.slots = model->slots();
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

WaitView Scheduler::wait_view(const Model& model, const Spot& spot) const {
  WaitView w;
  w.model = model.id;
  w.requests = model.queue.live();
  w.oldest = now_ - model.queue.oldest_live();
  w.position = spot.position;
  w.eta = eta_of(model, model.queue.live(), spot);
  const WaitingTicket* latest = nullptr;
  bool all_known = true;
  for (const WaitingTicket& ticket : model.queue.tickets()) {
    if (ticket.live()) {
      all_known = all_known && ticket.deadline.has_value();
      latest = latest == nullptr || ticket.deadline > latest->deadline ? &ticket : latest;
    }
  }
  if (all_known && latest != nullptr) {
    w.bound = std::max(Duration::zero(), *latest->deadline + pause_of(*latest) - now_);
    w.terms = latest->terms;
  }
  if (w.eta && w.bound) {
    w.eta = std::min(*w.eta, *w.bound);
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
  } else if (pressure_.level() != PressureLevel::Normal) {
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
  } else if (spot.urgent) {
    w.waiting_for = WaitingFor::Turn;
  } else {
    w.waiting_for = WaitingFor::Memory;
  }
  return w;
}

std::vector<WaitView> Scheduler::waiting() const {
  std::vector<WaitView> views;
  for (const Spot& spot : spots(line_.size())) {
    const Model& model = models_[line_[static_cast<std::size_t>(spot.position) - 1].value];
    if (model.queue.live() > 0) {
      views.push_back(wait_view(model, spot));
    }
  }
  for (const ModelId id : resident_) {
    const Model& model = models_[id.value];
    if (!model.line_number && model.queue.live() > 0) {
      views.push_back(wait_view(model, Spot{}));
    }
  }
  return views;
}

std::optional<WaitView> Scheduler::wait_of(ModelId id) const {
  const Model* model = find(id);
  return model != nullptr && model->queue.live() > 0
             ? std::optional(wait_view(*model, spot_of(*model)))
             : std::nullopt;
}

MemoryView Scheduler::memory() const {
  return MemoryView{ledger_.budget(),         ledger_.reserved(), ledger_.debt(),
                    pressure_.used_percent(), pressure_.level(),  pressure_.by_stall()};
}

}  // namespace hf::core
