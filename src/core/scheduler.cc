#include "core/scheduler.h"

#include <algorithm>

#include "base/assert.h"

namespace hf::core {

Scheduler::Scheduler(const Limits& limits)
    : limits_(limits),
      widest_queue_(limits.max_waiting),
      ledger_(limits.budget),
      pressure_(limits) {
  HF_ASSERT(limits.loads_at_once >= 1 && limits.max_waiting >= 1, "config validates limits");
  HF_ASSERT(limits.patience > Duration::zero(), "config validates patience");
}

void Scheduler::handle(const Event& event, TimePoint now) {
  HF_ASSERT(now >= now_, "time is monotonic");
  now_ = now;
  expire_placeholders();
  end_stall();
  std::visit([this](const auto& e) { on(e); }, event);
  settle();
}

std::optional<Action> Scheduler::poll_action() {
  if (actions_.empty()) {
    return std::nullopt;
  }
  Action action = std::move(actions_.front());
  actions_.pop_front();
  return action;
}

Model* Scheduler::find(ModelId id) {
  return id.value < models_.size() ? &models_[id.value] : nullptr;
}

const Model* Scheduler::find(ModelId id) const {
  return id.value < models_.size() ? &models_[id.value] : nullptr;
}

void Scheduler::touch(Model& model) {
  if (std::find(touched_.begin(), touched_.end(), model.id) == touched_.end()) {
    touched_.push_back(model.id);
  }
}

// Grants and line numbers first (they depend on one model only), then the line as a whole. Loops
// because a cut lease frees a slot, a stopped model frees a place, and each may let somebody else
// go on; it ends because every round consumes a ticket, a lease, a gate or a child.
void Scheduler::settle() {
  do {
    stop_expired_ttl();  // again after a gate opened: its model may have been idle for long
    while (!touched_.empty()) {
      const ModelId id = touched_.back();
      touched_.pop_back();
      settle_model(models_[id.value]);
    }
    run_line();
    update_bites();
    cut_bitten();
    relieve_debt();
    pressure_step();
    apply_deferred_limits();
    release_promised_turn();
  } while (!touched_.empty());
  warn_all_in_use();
  if (shutting_down_ && resident_.empty() && !finished_) {
    finished_ = true;
    emit(action::Finished{});
  }
  plan_deadline();
}

void Scheduler::settle_model(Model& model) {
  grant_waiting(model);
  update_line(model);
}

// Rule 1.
void Scheduler::grant_waiting(Model& model) {
  while (model.open()) {
    const WaitingTicket* next = model.queue.next(model.slot_free());
    if (next == nullptr) {
      return;
    }
    const WaitingTicket ticket = model.queue.take(next->id);
    promise_ended_ = promise_ended_ || ticket.deadline;
    Reason reason;
    reason.why = ticket.kind == TicketKind::Load ? Why::ModelReady : Why::SlotFree;
    reason.waited = now_ - ticket.asked;
    if (ticket.kind == TicketKind::Load) {
      forget_ticket(ticket.id);
    } else {
      model.leases.push_back(Lease{ticket.id, ticket.user, now_, std::nullopt, std::nullopt});
      ++leases_;
      places_[ticket.id].leased = true;
      ++model.uses_since_load;
      model.inflation = clock_;
    }
    emit(action::Grant{ticket.id, model.id, model.generation, ticket.kind, reason.waited, reason});
  }
}

// Rules 2 and 11.
void Scheduler::update_line(Model& model) {
  const bool in_line = !model.queue.empty() && !model.open() && model.state != State::Loading;
  if (in_line && model.broken) {  // no next generation will serve them
    refuse_all(model, Reason{.why = Why::ModelBroken}, Duration::zero());
    bring_back_victims(model);
    return update_line(model);
  }
  if (in_line) {
    if (const auto reason = misfit(model, model.spec.footprint)) {
      refuse_all(model, *reason, pause_after(*reason));
      bring_back_victims(model);
      return update_line(model);
    }
  }
  if (in_line == model.line_number.has_value()) {
    return;
  }
  if (in_line) {
    if (!model.oom_retry) {
      model.victims.clear();  // of a load that was given up
    }
    model.line_number = next_number_++;
    line_.push_back(model.id);
  } else {
    model.line_number.reset();
    line_.erase(std::find(line_.begin(), line_.end(), model.id));
  }
}

// Rule 11: why `need` bytes of it cannot be given however long it waits for other models; nullopt:
// they can. What only neighbours keep from it is no reason to say never.
std::optional<Reason> Scheduler::misfit(const Model& model, const Footprint& need) const {
  const Footprint room = room_without_pins(model);
  if (need.fits_in(room)) {
    return std::nullopt;
  }
  const Footprint most = room + limits_.taken;
  const bool taken = need.fits_in(most);
  Reason reason{.why = taken ? Why::CardTaken : Why::NeverFits};
  put_bytes(reason, need, taken ? room : most);
  reason.have = std::max(Bytes(0), reason.have);  // pins alone may be more than neighbours leave
  return reason;
}

}  // namespace hf::core
