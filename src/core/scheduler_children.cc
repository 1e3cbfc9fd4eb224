// Transitions of children: loads, gates, stops, reaps.
#include <algorithm>

#include "base/assert.h"
#include "core/scheduler.h"

namespace hf::core {
namespace {

void insert_sorted(std::vector<ModelId>& ids, ModelId id) {
  ids.insert(std::lower_bound(ids.begin(), ids.end(), id), id);
}

// After out-of-memory at load the estimate was wrong by an unknown amount; a quarter more is what
// the second attempt asks for, but no more than could be given: else a passing shortage would end
// in "never fits".
Footprint raised(const Footprint& estimate, const Footprint& most) {
  Footprint more = estimate;
  for (std::size_t d = 0; d < kDomains; ++d) {
    const Bytes quarter_more = more.in[d] + Bytes(more.in[d].count / 4);
    more.in[d] = std::max(estimate.in[d], std::min(quarter_more, most.in[d]));
  }
  return more;
}

// Crashes further apart than this are not a loop.
constexpr Duration kSteadyRun = std::chrono::seconds(60);
// Crashes in a row that are answered by simply loading again.
constexpr int kFreeCrashes = 2;

}  // namespace

void Scheduler::start_load(Model& model, Reason reason) {
  HF_ASSERT(model.can_load(), "one child a model");
  HF_ASSERT(model.spec.footprint.fits_in(ledger_.free()), "never above the budget");
  HF_ASSERT(loading_ < limits_.loads_at_once, "a load needs a slot");
  model.generation = Generation(model.generation.value + 1);
  model.state = State::Loading;
  model.state_since = now_;
  model.gate = Gate::Open;
  model.reserved = model.spec.footprint;
  model.measured = Footprint{};
  model.stop_for_cleanup = false;
  model.stop_for_pressure = false;
  model.drain_when_ready.reset();
  model.child_slots = model.spec.slots;
  model.child_load_deadline = model.spec.load_deadline;
  model.kill_sent = false;
  ledger_.reserve(model.reserved);
  ++loading_;
  pressure_.load_began();
  insert_sorted(resident_, model.id);
  std::erase(retries_, model.id);
  update_line(model);
  bounds_old_ = true;
  emit(action::StartLoad{model.id, model.generation, model.reserved, reason});
}

void Scheduler::load_ended() {
  --loading_;
  pressure_.load_ended(now_);
}

void Scheduler::shut_gate(Model& model, Gate gate, Reason reason) {
  HF_ASSERT(model.open(), "only an open gate can be shut");
  model.state = State::Gated;
  model.state_since = now_;
  ++gated_;
  model.gate = gate;
  model.gate_why = reason.why;
  model.gated_at = now_;
  emit(action::GateMoved{model.id, model.generation, true, reason});
  touch(model);  // tickets behind the gate belong to the next generation: they stand in line
}

void Scheduler::open_gate(Model& model) {
  HF_ASSERT(model.state == State::Gated && model.gate == Gate::ForOwner, "gates by hand stay shut");
  model.state = State::Ready;
  --gated_;
  model.gate = Gate::Open;
  emit(action::GateMoved{model.id, model.generation, false, Reason{.why = Why::OwnerGone}});
  touch(model);
}

void Scheduler::stop(Model& model, Reason reason, bool kill) {
  HF_ASSERT(model.has_child() && model.state != State::Stopping, "a child is stopped once");
  HF_ASSERT(model.leases.empty() || mutant_ != Mutant::None, "a model in use is never unloaded");
  if (model.state == State::Loading) {
    load_ended();
    model.oom_retry = false;
  }
  const bool pressed = reason.why == Why::MemoryPressure || reason.why == Why::MemoryStall;
  const bool evicted = reason.for_model || pressed || reason.why == Why::BudgetDebt;
  if (limits_.policy == VictimPolicy::Gdsf && evicted) {
    clock_ = std::max(clock_, value_of(worth(model), limits_.policy));
  }
  gated_ -= model.state == State::Gated ? 1 : 0;
  model.state = State::Stopping;
  model.state_since = now_;
  model.stop_reason = reason;
  model.stop_for_cleanup = reason.why == Why::EmergencyCleanup || reason.why == Why::CleanupByHand;
  model.stop_for_pressure = pressed;
  model.kill_sent = kill;
  ledger_.start_leaving(model.reserved + model.debt);
  emit(action::StopChild{model.id, model.generation, kill, reason});
  touch(model);
}

// The child is gone: its bytes are free, its tickets (if any) stand in line for the next
// generation.
void Scheduler::reaped(Model& model) {
  const bool was_leaving = model.state == State::Stopping;
  ledger_.release(model.reserved, model.debt, was_leaving);
  model.reserved = Footprint{};
  model.debt = Footprint{};
  gated_ -= model.state == State::Gated ? 1 : 0;
  model.state = State::Absent;
  model.state_since = now_;
  model.gate = Gate::Open;
  model.bitten_since.reset();
  if (model.child_answer != Duration::zero()) {
    model.child_answer = Duration::zero();
    terms_changed();
  }
  std::erase(resident_, model.id);
  touch(model);
  if (!was_leaving) {
    return;
  }
  action::Notice notice;
  notice.kind = action::NoticeKind::Unloaded;
  notice.names = {model.id};
  emit(std::move(notice));
  if (model.stop_for_pressure) {
    pressure_.reaped(now_);
  }
  if (model.stop_for_cleanup) {
    report_kept();
  }
}

void Scheduler::on(const event::LoadReady& e) {
  Model* model = find(e.model);
  if (model == nullptr || model->generation != e.generation || model->state != State::Loading) {
    return;  // stopped by force meanwhile: its exit will follow
  }
  load_ended();
  model->state = State::Ready;
  model->state_since = now_;
  model->ready_since = now_;
  model->uses_since_load = 0;
  model->oom_retry = false;
  model->victims.clear();
  grant_waiting(*model);
  if (model->drain_when_ready || shutting_down_) {
    const Why why = shutting_down_ ? Why::Shutdown : *model->drain_when_ready;
    shut_gate(*model, Gate::ByHand, Reason{.why = why});
  }
  touch(*model);
}

void Scheduler::on(const event::LoadFailed& e) {
  Model* model = find(e.model);
  if (model == nullptr || model->generation != e.generation || !model->has_child()) {
    return;
  }
  if (model->state == State::Stopping) {
    return reaped(*model);
  }
  if (model->state != State::Loading) {
    return;
  }
  load_ended();
  const bool gave_memory_reason = e.failure == LoadFailure::OutOfMemory;
  const bool retry = gave_memory_reason && !model->oom_retry && !model->queue.empty() &&
                     !shutting_down_ && model->listed && !model->drain_when_ready &&
                     mutant_ != Mutant::DenySecondAttempt;
  reaped(*model);
  if (gave_memory_reason) {
    model->spec.footprint = raised(model->spec.footprint, room_without_pins(*model));
    terms_changed();
    recheck_line();
  }
  if (retry) {
    model->oom_retry = true;
    retries_.push_back(model->id);
    return;
  }
  model->oom_retry = false;
  back_off(*model);
  Reason reason{.why = Why::LoadFailed};
  reason.limit = model->failed_until - now_;
  refuse_all(*model, reason, reason.limit);
  bring_back_victims(*model);
}

// Those who had to go for a load that came to nothing, if somebody is likely to miss them.
void Scheduler::bring_back_victims(Model& newcomer) {
  for (const ModelId id : newcomer.victims) {
    const Model& victim = models_[id.value];
    if (victim.use_count > 0 && victim.last_use + kRecentlyUsed > now_) {
      want(id, Reason{.why = Why::VictimReturns, .for_model = newcomer.id});
    }
  }
  newcomer.victims.clear();
}

// Failed, with the circuit open for 1, 2, 4 … 60 s.
void Scheduler::back_off(Model& model) {
  const int doublings = std::min(model.failures, 6);
  ++model.failures;
  model.state = State::Failed;
  model.state_since = now_;
  model.failed_until = now_ + std::min(kLongestBackoff, kFirstBackoff * (1 << doublings));
  if (std::find(timed_.begin(), timed_.end(), model.id) == timed_.end()) {
    timed_.push_back(model.id);
  }
}

void Scheduler::on(const event::Exited& e) {
  Model* model = find(e.model);
  if (model == nullptr || model->generation != e.generation || !model->has_child()) {
    return;
  }
  if (model->state == State::Loading) {
    return on(event::LoadFailed{e.model, e.generation, LoadFailure::Crashed});
  }
  if (model->state == State::Stopping) {
    return reaped(*model);
  }
  cut_leases(*model, Reason{.why = Why::ChildDied});
  if (now_ - model->ready_since >= kSteadyRun) {
    model->crashes = 0;
  }
  reaped(*model);
  if (++model->crashes > kFreeCrashes) {
    back_off(*model);
    refuse_all(*model, Reason{.why = Why::Crashed}, model->failed_until - now_);
  }
}

void Scheduler::on(const event::Measured& e) {
  Model* model = find(e.model);
  if (model == nullptr || model->generation != e.generation || !model->has_child()) {
    return;
  }
  model->measured = max_of(model->measured, e.in_use);
  if (model->state == State::Stopping) {
    return;  // on its way out: what it holds will not grow
  }
  const Footprint debt = model->measured.missing_from(model->reserved);
  ledger_.change_debt(debt - model->debt);
  model->debt = debt;
}

void Scheduler::cut_leases(Model& model, const Reason& reason) {
  for (const Lease& lease : model.leases) {
    forget_ticket(lease.ticket);
    emit(action::CutLease{lease.ticket, model.id, reason});
  }
  if (!model.leases.empty()) {
    model.last_use = now_;
  }
  leases_ -= model.leases.size();
  model.leases.clear();
  touch(model);
}

}  // namespace hf::core
