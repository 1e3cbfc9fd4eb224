// The promises: whether an action may be taken now, by the checker's own books.
#include <algorithm>

#include "sim/checker.h"

namespace hf::sim {
namespace {

using core::Why;

// Stops that rest on nobody using the model.
bool is_for_idle(Why why) {
  return why == Why::IdleVictim || why == Why::MemoryPressure || why == Why::MemoryStall ||
         why == Why::EmergencyCleanup || why == Why::CleanupByHand || why == Why::BudgetDebt ||
         why == Why::IdleTooLong;
}

}  // namespace

void Checker::judge(const core::action::Grant& a) {
  Ticket* const ticket = find(a.ticket);
  Truth* const model = find(a.model);
  if (ticket == nullptr || model == nullptr) {
    return fail("a grant is for a known ticket and model");
  }
  expect(!ticket->departed, "nothing is granted to who has left");
  expect(ticket->stage == Stage::Waiting && ticket->model == a.model, "a ticket has one outcome");
  expect(model->phase == Phase::Ready && !model->gated && model->generation == a.generation,
         "a grant is on the open child");
  expect(a.waited == now_ - ticket->arrived, "the wait is told as it was");
  ++counters_.grants;
  counters_.longest_wait = std::max(counters_.longest_wait, now_ - ticket->arrived);
  judge_wait(*ticket);
  --model->waiting;
  ticket->stage = Stage::Over;
  if (a.kind == core::TicketKind::Load) {
    return;
  }
  ticket->stage = Stage::Leased;
  ticket->leased = now_;
  ++model->leases;
  expect(model->leases <= model->child_slots, "no more leases than slots");
  if (plan_.users == 1 && plan_.leave == 0) {
    expect(!model->last_granted || *model->last_granted < a.ticket,
           "one user's requests are granted in order");
    model->last_granted = a.ticket;
  }
}

void Checker::judge(const core::action::Refuse& a) {
  Ticket* const ticket = find(a.ticket);
  if (ticket == nullptr || ticket->stage != Stage::Waiting) {
    return fail("a ticket has one outcome");
  }
  Truth& model = models_[a.model.value];
  if (!may_refuse(a, model, *ticket)) {
    fail("a refusal's reason holds: " + std::string(core::name_of(a.reason.why)));
  }
  judge_wait(*ticket);
  ++counters_.refusals;
  --model.waiting;
  if (a.reason.why == Why::LoadFailed) {
    model.failed = now_;
    model.retry_due = model.retry_due && model.waiting > 0;  // all of them are told the same
  }
  ticket->stage = Stage::Over;
}

bool Checker::may_refuse(const core::action::Refuse& a, const Truth& m, const Ticket& t) {
  const bool by_force = command_ && command_->forced && command_->model == a.model;
  const Why why = a.reason.why;
  if (why == Why::QueueFull || why == Why::UserLimit) {
    return m.waiting > plan_.limits.max_waiting && has_most_waiting(t, why == Why::UserLimit);
  }
  if (why == Why::NeverFits) {
    return !m.estimate.fits_in(room_for(m)) && a.retry_after == Duration::zero();
  }
  if (why == Why::ModelFailed) {
    return m.failed && now_ - *m.failed <= core::kLongestBackoff;
  }
  if (why == Why::LoadFailed) {
    return (m.failed_by_event == events_ && !m.retry_due) || second_attempt_is_hopeless(m);
  }
  return (why == Why::Crashed && exited_ == a.model) || (why == Why::ModelBroken && m.broken) ||
         (why == Why::ModelGone && !m.listed) || (why == Why::ShuttingDown && drain_until_) ||
         (why == Why::Forced && by_force);
}

// It ran out of memory once, and what it needs now is not there although all that is idle went.
bool Checker::second_attempt_is_hopeless(const Truth& m) const {
  core::Footprint room = budget_;
  for (const Truth& other : models_) {
    const bool idle = other.phase == Phase::Ready && other.leases == 0 && !other.pinned &&
                      (other.gated || other.waiting == 0);
    if (other.phase != Phase::Stopping && !idle) {
      room -= other.reserved + other.debt;
    }
  }
  return m.retry_due && !stressed() && !m.estimate.fits_in(room);
}

void Checker::judge(const core::action::CutLease& a) {
  Ticket* const ticket = find(a.ticket);
  if (ticket == nullptr || ticket->stage != Stage::Leased) {
    return fail("only a lease can be cut, and once");
  }
  const Why why = a.reason.why;
  if (why == Why::RequestLimit) {
    const auto limit = ticket->open_ended && !shortest_.request_limit
                           ? models_[ticket->model.value].answer
                           : shortest_.request_limit;
    expect(limit && ticket->leased + *limit <= now_,
           "an answer is cut no earlier than at the request limit");
    expect(somebody_waits(), "an answer is cut only while somebody waits");
  } else if (why == Why::ReaderStalled) {
    expect(ticket->stalled && *ticket->stalled + plan_.limits.reader_stall <= now_,
           "a reader is cut only after it stalled for long");
    expect(somebody_waits(), "an answer is cut only while somebody waits");
  } else if (why == Why::ChildDied) {
    expect(exited_ == a.model, "a lease dies with its child only");
  } else if (why == Why::DrainDeadline) {
    expect(drain_until_ && *drain_until_ <= now_, "the drain deadline has passed");
  } else {
    expect(why == Why::Forced && command_ && command_->forced && command_->model == a.model,
           "force needs an administrator");
  }
  ++counters_.cuts;
  --models_[a.model.value].leases;
  ticket->stage = Stage::Over;
}

void Checker::judge(const core::action::StartLoad& a) {
  Truth* const model = find(a.model);
  if (model == nullptr) {
    return fail("only a known model is loaded");
  }
  expect(model->phase == Phase::None, "one child a model");
  expect(model->generation < a.generation, "generations grow");
  expect(model->listed && !model->broken, "only a usable model is loaded");
  expect(!drain_until_, "nothing is loaded at shutdown");
  expect(!stressed(), "nothing is loaded under memory pressure");
  const bool wanted = a.reason.why == Why::Preload || a.reason.why == Why::VictimReturns;
  if (wanted) {
    judge_load_for_nobody(a, *model);
  } else {
    expect(model->waiting > 0 || somebody_waits(), "nothing is loaded for nobody");
  }
  expect(a.reserved == model->estimate, "what is reserved is the estimate");
  core::Footprint used = a.reserved;
  int loading = 1;
  for (const Truth& other : models_) {
    used += other.reserved + other.debt;
    loading += other.phase == Phase::Loading ? 1 : 0;
  }
  for (std::size_t d = 0; d < core::kDomains; ++d) {
    expect(a.reserved.in[d].count == 0 || used.in[d] <= budget_.in[d],
           "reserved memory never exceeds the budget");
  }
  expect(loading <= plan_.limits.loads_at_once, "no more loads at once than allowed");
  expect(a.reason.why != Why::OvertakesIntoFree || !out_of_patience(longest_.patience),
         "nobody overtakes who is out of patience");
  const bool second = a.reason.why == Why::RetryAfterOom;
  expect(!second || model->retry_due, "a second attempt follows one that ran out of memory");
  model->second_attempt = second;
  model->retry_due = false;
  model->to_go = false;
  ++counters_.loads;
  deadlines_moved_ = true;
  model->phase = Phase::Loading;
  model->child_slots = model->slots;
  model->generation = a.generation;
  model->reserved = a.reserved;
}

void Checker::judge_load_for_nobody(const core::action::StartLoad& a, const Truth& m) {
  expect(std::none_of(models_.begin(), models_.end(),
                      [this](const Truth& other) { return wants_memory(other); }),
         "a load that nobody asks for delays nobody");
  if (a.reason.why == Why::Preload) {
    expect(m.wanted, "a preload was asked for");
  } else {
    const auto& whom = m.gone_for;
    expect(a.reason.for_model &&
               std::find(whom.begin(), whom.end(), *a.reason.for_model) != whom.end(),
           "a victim returns on account of a model that it went for");
  }
}

void Checker::judge(const core::action::StopChild& a) {
  Truth* const model = find(a.model);
  if (model == nullptr || model->phase == Phase::None || model->generation != a.generation) {
    return fail("only a living child is stopped");
  }
  ++counters_.stops;
  if (a.reason.for_model) {
    std::erase(model->gone_for, *a.reason.for_model);
    model->gone_for.push_back(*a.reason.for_model);
  }
  expect(model->leases == 0, "a model in use is never unloaded");
  if (model->phase == Phase::Stopping) {
    expect(a.kill && a.reason.why == Why::ForcedByHand, "a child is stopped once");
  } else if (model->phase == Phase::Loading) {
    judge_stop_of_loading(a);
  } else {
    judge_stop_of_ready(a, *model);
  }
  model->phase = Phase::Stopping;
  model->gated = false;
}

// Once those who are stopping have been reaped, without stopping anybody else.
bool Checker::fits_after_stops(const Truth& model) const {
  core::Footprint room = budget_;
  for (const Truth& other : models_) {
    if (other.phase != Phase::Stopping) {
      room -= other.reserved + other.debt;
    }
  }
  return model.estimate.fits_in(room);
}

void Checker::judge_stop_of_loading(const core::action::StopChild& a) {
  const bool forced = a.reason.why == Why::ForcedByHand && command_ && command_->forced;
  const bool quitting = a.reason.why == Why::DrainDeadline && drain_until_ && *drain_until_ <= now_;
  expect(forced || quitting, "a loading model is never stopped");
}

void Checker::judge_stop_of_ready(const core::action::StopChild& a, const Truth& m) {
  const Why why = a.reason.why;
  if (is_for_idle(why)) {
    expect(m.gated || m.waiting == 0, "a ready model that somebody waits for is not idle");
    expect(!m.pinned, "a pinned model is no victim");
    expect(why != Why::IdleVictim || !a.reason.for_model ||
               !fits_after_stops(models_[a.reason.for_model->value]),
           "no more is unloaded than the head needs");
    judge_stop_for_pressure(a);
  } else if (why == Why::TurnOver || why == Why::GateNeverLifted) {
    expect(m.gated, "only a drained gate leads to a swap");
    expect(!m.pinned || m.waiting > 0, "a pinned model is no victim");
  } else if (why == Why::ForcedByHand) {
    expect(command_ && command_->forced, "force needs an administrator");
  } else if (why == Why::DrainDeadline) {
    expect(drain_until_ && *drain_until_ <= now_, "the drain deadline has passed");
  } else {
    expect(m.gated, "a drain shuts the gate first");
    expect(why != Why::OwnerWaits, "a stop tells why its gate is shut now");
  }
  expect(!a.kill || why == Why::ForcedByHand, "only force kills what is ready");
}

// One at a time: a reap and a new reading lie between two of them.
void Checker::judge_stop_for_pressure(const core::action::StopChild& a) {
  const Why why = a.reason.why;
  if (why != Why::MemoryPressure && why != Why::MemoryStall) {
    return;
  }
  if (why == Why::MemoryStall) {
    expect(stalled_ && stalled_until_ && !stall_is_hopeless_ && !above_marks_,
           "a stall unloads while readings tell of it and that helps");
  } else {
    expect(used_percent_ >= plan_.limits.low, "pressure unloads nothing below the low mark");
  }
  expect(!pressed_out_, "under pressure one model goes at a time");
  pressed_out_ = {a.model,     a.generation, used_percent_, stalled_, why == Why::MemoryStall,
                  std::nullopt};
}

void Checker::judge(const core::action::GateMoved& a) {
  Truth* const model = find(a.model);
  if (model == nullptr || model->phase != Phase::Ready || model->gated == a.shut) {
    return fail("a gate moves from one side to the other");
  }
  model->gated = a.shut;
  if (!a.shut) {
    ++counters_.gates_opened;
    expect(model->waiting == 0, "a gate with tickets behind it is never lifted");
    expect(model->listed && !drain_until_, "a gate shut by hand stays shut");
    return;
  }
  ++counters_.gates_shut;
  if (a.reason.why != Why::OwnerWaits) {
    return;
  }
  const core::Limits& limits = shortest_;
  const Duration turn = limits.turn.value_or(
      std::min(core::kLongestTurn, std::max(limits.patience, 10 * model->reload)));
  const bool idle = model->leases == 0 && model->waiting == 0;
  expect(idle || model->ready + turn <= now_, "a turn is not cut short");
  expect(!model->pinned, "a pinned model is not gated for another");
  expect(!stressed(), "pressure shuts no gate");
  expect(plan_.leave > 0 || out_of_patience(limits.patience),
         "gates are shut for who is out of patience");
}

void Checker::judge(const core::action::Notice& a) {
  if (a.kind == core::action::NoticeKind::StallGivenUp) {
    judge_stall_given_up();
  }
  if (a.kind == core::action::NoticeKind::Unloaded) {
    for (const ModelId id : a.names) {
      expect(models_[id.value].phase == Phase::None, "unloaded means reaped");
    }
  }
  const auto used = [](const Truth& m) {
    return m.phase == Phase::Loading ||
           (m.phase == Phase::Ready && (m.leases > 0 || (!m.gated && m.waiting > 0)));
  };
  const auto only_pinned = [&used](const Truth& m) {
    return m.phase == Phase::Ready && m.pinned && !used(m);
  };
  const bool of_used = a.kind == core::action::NoticeKind::Protected ||
                       a.kind == core::action::NoticeKind::AllInUse ||
                       a.kind == core::action::NoticeKind::AllInUseLong;
  for (const ModelId id : a.names) {
    const Truth& m = models_[id.value];
    expect(!of_used || used(m), "only what is in use is called so");
    expect(a.kind != core::action::NoticeKind::Pinned || only_pinned(m), "only pins are told");
  }
  for (const ModelId id : a.pinned_names) {
    expect(only_pinned(models_[id.value]), "only pins are told");
  }
}

void Checker::judge(const core::action::Answer& a) {
  if (!command_ || command_->id != a.command || command_->answered) {
    return fail("one answer to each command");
  }
  command_->answered = true;
  Truth* const model = find(command_->model);
  if (model == nullptr) {
    return;
  }
  if (command_->pin && a.code == core::action::AnswerCode::Done) {
    model->pinned = true;
  } else if (command_->unpin && a.code != core::action::AnswerCode::InUse &&
             a.code != core::action::AnswerCode::Refused) {
    model->pinned = false;
  }
}

void Checker::judge(const core::action::Finished&) {
  expect(!finished_ && drain_until_, "a shutdown finishes once");
  for (const Truth& model : models_) {
    expect(model.phase == Phase::None, "after a shutdown no child is left");
  }
  finished_ = true;
}

}  // namespace hf::sim
