// Rules 3 to 9: who in the line gets memory, from whom, and when.
#include <algorithm>

#include "base/assert.h"
#include "core/scheduler.h"

namespace hf::core {

void Scheduler::run_line() {
  std::erase_if(retries_, [this](ModelId id) {  // its tickets are gone: so is its turn
    Model& model = models_[id.value];
    model.oom_retry = model.oom_retry && model.line_number;
    return !model.line_number;
  });
  if (owner_ && !models_[owner_->value].line_number) {
    owner_.reset();  // its load started, or its tickets are gone
  }
  open_unneeded_gates();
  stop_drained();
  if (shutting_down_) {
    return;
  }
  while (serve_head()) {
    if (owner_ && !models_[owner_->value].line_number) {
      owner_.reset();
    }
    open_unneeded_gates();
  }
  overtake();
  load_wanted();
}

// The owner stays head (rule 7), and a second attempt after out-of-memory belongs to the turn that
// is running (rule 3). Otherwise the smallest number; priority reorders only the young before the
// first who is out of patience, so it delays anybody by at most the one load that it won.
Model* Scheduler::head() {
  if (!retries_.empty()) {
    return find(retries_.front());
  }
  if (owner_) {
    return find(*owner_);
  }
  if (mutant_ == Mutant::LineByOldestTicket && !line_.empty()) {
    return find(*std::min_element(line_.begin(), line_.end(), [this](ModelId a, ModelId b) {
      return models_[a.value].queue.oldest() < models_[b.value].queue.oldest();
    }));
  }
  if (line_.empty() || shared_terms().one_priority) {
    return line_.empty() ? nullptr : find(line_.front());
  }
  Model* chosen = nullptr;
  for (const ModelId id : line_) {
    Model& model = models_[id.value];
    const bool aged = model.queue.oldest() + limits_.patience <= now_;
    if (chosen == nullptr || (!aged && model.spec.priority > chosen->spec.priority)) {
      chosen = &model;
    }
    if (aged) {
      break;
    }
  }
  return chosen;
}

// Rule 5. Any ticket of the line counts, not only the head's: a client that cancels and comes back
// must not starve the others.
bool Scheduler::urgent() const {
  return std::any_of(line_.begin(), line_.end(), [this](ModelId id) {
    const bool asked = mutant_ != Mutant::PatienceOfHeadOnly || id == line_.front();
    return asked && models_[id.value].queue.oldest() + limits_.patience <= now_;
  });
}

bool Scheduler::loads_allowed() const {
  const bool pressed = pressure_.level() != PressureLevel::Normal;
  const bool overlooked = mutant_ == Mutant::IgnoreStalls && pressure_.by_stall();
  return (!pressed || overlooked) && !shutting_down_;
}

// True if something changed and the line must be looked at again.
bool Scheduler::serve_head() {
  Model* const model = head();
  if (model == nullptr) {
    return false;
  }
  if (model->can_load()) {
    if (model->spec.footprint.fits_in(ledger_.free())) {
      if (!loads_allowed() || loading_ >= limits_.loads_at_once) {
        return false;
      }
      Reason reason{.why = retries(*model) ? Why::RetryAfterOom : Why::HeadFits};
      put_bytes(reason, model->spec.footprint, ledger_.free());
      reason.waited = now_ - model->queue.oldest();
      start_load(*model, reason);
      return true;
    }
    const bool second = retries(*model);
    if (!(second && mutant_ == Mutant::GiveUpSecondAttempt) && make_room(*model)) {
      return false;
    }
    if (second) {  // even without the idle ones it does not fit: the attempt is over
      back_off(*model);
      refuse_all(*model, Reason{.why = Why::LoadFailed}, model->failed_until - now_);
      bring_back_victims(*model);
      update_line(*model);
      return true;
    }
  }
  return gate_for(*model);
}

// Rule 4. True if the head needs nothing but time: bytes that are leaving suffice, or idle victims
// do.
bool Scheduler::make_room(Model& head) {
  const Footprint need = head.spec.footprint.missing_from(ledger_.free() + ledger_.leaving());
  if (need.empty()) {
    return true;
  }
  if (!loads_allowed()) {
    return owner_ != head.id;  // pressure: no new victims, but a drained set is stopped (gate_for)
  }
  std::vector<Candidate> idle;
  for (const ModelId id : resident_) {
    const Model& model = models_[id.value];
    if (id != head.id && is_idle(model)) {
      idle.push_back(candidate(model));
    }
  }
  const std::vector<ModelId> victims = cheapest_set(idle, need);
  if (victims.empty()) {
    return false;
  }
  if (loading_ >= limits_.loads_at_once) {
    return true;  // they stay useful until a load slot is free
  }
  for (const ModelId id : victims) {
    Model& victim = models_[id.value];
    const bool swapped = victim.state == State::Gated;  // it was busy until its gate drained it
    Reason reason{.why = swapped ? Why::TurnOver : Why::IdleVictim, .for_model = head.id};
    put_bytes(reason, head.spec.footprint, ledger_.free());
    reason.value = value_of(worth(victim), limits_.policy);
    reason.waited = now_ - head.queue.oldest();
    head.victims.push_back(id);
    stop(victim, reason);
  }
  return true;
}

// Rules 6, 7 and 13.
bool Scheduler::gate_for(Model& head) {
  if (!owner_ && (!urgent() || !loads_allowed() || mutant_ == Mutant::NoOwner)) {
    return false;
  }
  const bool count_draining = owner_ || mutant_ != Mutant::DrainingNotCounted;
  const Footprint coming =
      ledger_.free() + ledger_.leaving() + (count_draining ? draining() : Footprint{});
  const Footprint need = head.spec.footprint.missing_from(coming);
  bool changed = false;
  if (!need.empty() && loads_allowed()) {
    std::vector<Candidate> gateable;
    for (const ModelId id : resident_) {
      const Model& model = models_[id.value];
      if (model.open() && !model.pinned && (is_idle(model) || turn_over(model))) {
        gateable.push_back(candidate(model));
      }
    }
    const std::vector<ModelId> set = cheapest_set(gateable, need);
    if (set.empty()) {
      return false;  // tried again at each event, and when the next turn is over
    }
    for (const ModelId id : set) {
      Model& member = models_[id.value];
      if (mutant_ == Mutant::IdleMembersLeftOpen && is_idle(member)) {
        continue;
      }
      changed = true;
      Reason reason{.why = Why::OwnerWaits, .for_model = head.id};
      put_bytes(reason, head.spec.footprint, coming);
      reason.waited = oldest_wait();
      reason.limit = turn_of(member);
      shut_gate(member, Gate::ForOwner, reason);
    }
  } else if (!need.empty()) {
    return false;
  }
  if (!owner_) {
    owner_ = head.id;
    changed = true;
  }
  if (changed) {
    return true;
  }
  std::vector<ModelId> set;
  for (const ModelId id : resident_) {
    const Model& model = models_[id.value];
    if (model.state == State::Gated && model.gate == Gate::ForOwner) {
      if (!model.leases.empty()) {
        return false;  // its running answers finish untouched
      }
      set.push_back(id);
    }
  }
  for (const ModelId id : set) {
    head.victims.push_back(id);
    stop(models_[id.value], Reason{.why = Why::TurnOver, .for_model = head.id});
  }
  return false;  // the load follows the reap
}

// Rule 9. What the head counts on is out of reach: its bytes and, while it makes room, its load
// slot.
void Scheduler::overtake() {
  const bool always = mutant_ == Mutant::SmallAlwaysOvertake;
  if (line_.size() < 2 || (owner_ && !always) || !retries_.empty() || !loads_allowed() ||
      (urgent() && mutant_ != Mutant::LiftByOvertaking && !always)) {
    return;
  }
  const Model& first = *head();
  const Footprint soon = ledger_.free() + ledger_.leaving();
  const bool making_room = first.can_load() && first.spec.footprint.fits_in(soon);
  const int slots_left = limits_.loads_at_once - loading_ - (making_room ? 1 : 0);
  if (slots_left <= 0) {
    return;
  }
  for (const ModelId id : line_) {
    Model& model = models_[id.value];
    const Footprint& size = model.spec.footprint;
    if (id == first.id || !model.can_load() || !size.fits_in(ledger_.free())) {
      continue;
    }
    if (making_room && !always && !(size + first.spec.footprint).fits_in(soon)) {
      continue;
    }
    Reason reason{.why = Why::OvertakesIntoFree};
    put_bytes(reason, size, ledger_.free());
    reason.waited = now_ - model.queue.oldest();
    start_load(model, reason);
    return overtake();  // line_ has changed
  }
}

// Nobody waits: free bytes may hold what will probably be asked for. Only then, so that no wait is
// longer for it than by the load that may be under way when somebody comes, which its bound counts.
void Scheduler::load_wanted() {
  if (!line_.empty() || owner_ || !retries_.empty() || !loads_allowed()) {
    return;
  }
  for (std::size_t i = 0; i < wanted_.size() && loading_ < limits_.loads_at_once;) {
    Model& model = models_[wanted_[i].model.value];
    Reason reason = wanted_[i].reason;
    const bool late = reason.why == Why::VictimReturns && model.last_use + kRecentlyUsed <= now_;
    const bool served = model.open() || model.state == State::Loading;
    const bool pointless = served || !model.listed || model.broken || late;
    const bool fits = model.state == State::Absent && model.spec.footprint.fits_in(ledger_.free());
    if (!pointless && !fits) {
      ++i;
      continue;
    }
    wanted_.erase(wanted_.begin() + static_cast<std::ptrdiff_t>(i));
    if (!pointless) {
      put_bytes(reason, model.spec.footprint, ledger_.free());
      model.victims.clear();  // it evicted nobody
      start_load(model, reason);
    }
  }
}

// Rule 8, first half. A model that was pinned behind its gate leaves the owner's set (rule 13).
void Scheduler::open_unneeded_gates() {
  if (gated_ == 0) {
    return;
  }
  for (const ModelId id : resident_) {
    Model& model = models_[id.value];
    if (owner_ && !model.pinned) {
      continue;
    }
    const bool nobody_behind = model.queue.live() == 0 || mutant_ == Mutant::OpenGateWithTickets;
    if (model.state == State::Gated && model.gate == Gate::ForOwner && nobody_behind) {
      open_gate(model);
    }
  }
}

// Rule 8, second half, and gates shut by hand.
void Scheduler::stop_drained() {
  if (gated_ == 0) {
    return;
  }
  for (std::size_t i = 0; i < resident_.size(); ++i) {
    Model& model = models_[resident_[i].value];
    if (model.state != State::Gated || !model.leases.empty()) {
      continue;
    }
    if (model.gate == Gate::ByHand) {
      stop(model, Reason{.why = model.gate_why});
    } else if (model.queue.live() > 0) {
      stop(model, Reason{.why = Why::GateNeverLifted, .for_model = owner_});
    }
  }
}

// What busy children grew beyond their reservation is paid by idle models.
void Scheduler::relieve_debt() {
  const Footprint soon = ledger_.free() + ledger_.leaving();
  Footprint need;
  for (std::size_t d = 0; d < kDomains; ++d) {
    need.in[d] = std::max(Bytes(0), Bytes(0) - soon.in[d]);
  }
  if (need.empty()) {
    return;
  }
  std::vector<Candidate> idle;
  for (const ModelId id : resident_) {
    if (is_idle(models_[id.value])) {
      idle.push_back(candidate(models_[id.value]));
    }
  }
  std::vector<ModelId> victims = cheapest_set(idle, need);
  if (victims.empty()) {  // all together do not suffice, but each of them helps
    for (const Candidate& c : idle) {
      if (need.overlaps(c.frees)) {
        victims.push_back(c.model);
      }
    }
  }
  for (const ModelId id : victims) {
    Reason reason{.why = Why::BudgetDebt};
    put_bytes(reason, ledger_.reserved() + ledger_.debt(), ledger_.budget());
    stop(models_[id.value], reason);
  }
}

// No lease, no ticket, not pinned: may leave at once.
bool Scheduler::is_idle(const Model& model) const {
  return !model.pinned && is_unused(model);
}

bool Scheduler::is_unused(const Model& model) const {
  if (model.state != State::Ready && model.state != State::Gated) {
    return mutant_ == Mutant::IgnoreLoading && model.state == State::Loading;
  }
  const bool in_use = !model.leases.empty() && mutant_ != Mutant::IgnoreLeases;
  const bool wanted = model.state == State::Ready && model.queue.live() > 0;
  return !in_use && !(wanted && mutant_ != Mutant::IgnoreLeases);
}

// Its second attempt after out-of-memory is to come.
bool Scheduler::retries(const Model& model) const {
  return std::find(retries_.begin(), retries_.end(), model.id) != retries_.end();
}

bool Scheduler::is_protected(const Model& model) const {
  return model.has_child() && model.state != State::Stopping && !is_idle(model);
}

bool Scheduler::turn_over(const Model& model) const {
  if (mutant_ == Mutant::GateAtOnce) {
    return true;
  }
  const bool must_serve = mutant_ == Mutant::GateAfterQueue && model.queue.live() > 0;
  return !must_serve && model.ready_since + turn_of(model) <= now_;
}

Footprint Scheduler::draining() const {
  Footprint sum;
  if (gated_ == 0) {
    return sum;
  }
  for (const ModelId id : resident_) {
    if (models_[id.value].state == State::Gated) {
      sum += models_[id.value].reserved + models_[id.value].debt;
    }
  }
  return sum;
}

Candidate Scheduler::candidate(const Model& model) const {
  return Candidate{model.id, model.reserved + model.debt, value_of(worth(model), limits_.policy),
                   model.use_count};
}

Footprint Scheduler::room_without_pins(const Model& model) const {
  Footprint room = ledger_.budget();
  for (const ModelId id : pinned_) {
    if (id != model.id) {
      const Model& other = models_[id.value];
      room -= other.has_child() ? other.reserved : other.spec.footprint;
    }
  }
  return room;
}

}  // namespace hf::core
