// Memory pressure and what administrators ask for. All of it goes through the same stop() that
// refuses to touch a model in use.
#include <algorithm>

#include "base/assert.h"
#include "core/scheduler.h"

namespace hf::core {

void Scheduler::on(const event::MemoryReading& e) {
  const bool stood_still = pressure_.level() != PressureLevel::Normal;
  const Pressure::Step step = pressure_.take(e.used_percent, e.stalled, now_);
  move_clocks(stood_still);
  if (step.left || step.entered_high) {
    all_in_use_told_ = false;
  }
  if (step.entered_high && pressure_.by_stall()) {
    action::Notice notice;
    notice.kind = action::NoticeKind::MemoryStall;
    notice.percent = e.used_percent;
    emit(std::move(notice));
  }
  if (pressure_.level() == PressureLevel::Critical) {
    if (step.entered_critical) {
      action::Notice notice;
      notice.kind = action::NoticeKind::CriticalMemory;
      notice.percent = e.used_percent;
      emit(std::move(notice));
      all_in_use_told_ = false;
    }
    cleanup(CleanupLevel::Emergency, Why::EmergencyCleanup, step.entered_critical);
  }
  give_up_stall(true);
}

// Nothing is loaded while pressure lasts, so the clocks of published deadlines stand still.
void Scheduler::move_clocks(bool stood_still) {
  if (!stood_still && pressure_.level() == PressureLevel::Normal) {
    return;
  }
  for (Model& model : models_) {
    model.queue.postpone_deadlines(stood_still ? pressure_since_ : now_, now_);
  }
  pressure_since_ = now_;
}

void Scheduler::on(const event::Cleanup& e) {
  action::Answer answer;
  answer.command = e.command;
  if (e.level == CleanupLevel::Emergency) {
    all_in_use_told_ = false;
    answer.unloading = cleanup(CleanupLevel::Emergency, Why::CleanupByHand, true);
  } else {
    pressure_.start_round();
    if (pressure_.may_evict()) {
      all_in_use_told_ = false;
      answer.unloading = cleanup(CleanupLevel::Normal, pressure_why(), true);
      if (!answer.unloading.empty()) {
        pressure_.evicted();
      }
    } else if (!pressure_.presses()) {
      // Nothing presses, but somebody asked: one, the least valuable.
      all_in_use_told_ = false;
      answer.unloading = cleanup(CleanupLevel::Normal, Why::CleanupByHand, true);
    }
  }
  answer.code = answer.unloading.empty() ? action::AnswerCode::Done : action::AnswerCode::Started;
  answer.kept = loaded_models();
  answer.protected_models = protected_models();
  emit(std::move(answer));
}

// What presses: the percentage, where it does.
Why Scheduler::pressure_why() const {
  return pressure_.evicts_by_stall() ? Why::MemoryStall : Why::MemoryPressure;
}

// Emergency: every unprotected model at once. Normal: the least valuable idle one. `loud`: say what
// is done even if it is nothing.
std::vector<ModelId> Scheduler::cleanup(CleanupLevel level, Why why, bool loud) {
  std::vector<Candidate> idle;
  for (const ModelId id : resident_) {
    const Model& model = models_[id.value];
    if (model.state != State::Stopping && is_idle(model)) {
      idle.push_back(candidate(model));
    }
  }
  const bool anything_loaded = !loaded_models().empty();
  if (idle.empty()) {
    if (loud && level == CleanupLevel::Emergency && anything_loaded) {
      emit(action::Notice{.kind = action::NoticeKind::EmergencyCleanup});
    }
    if (anything_loaded && !all_in_use_told_) {
      all_in_use_told_ = true;
      action::Notice notice;
      notice.kind = action::NoticeKind::AllInUse;
      notice.names = models_in_use();
      notice.pinned_names = models_only_pinned();
      emit(std::move(notice));
    }
    return {};
  }
  if (level == CleanupLevel::Emergency) {
    emit(action::Notice{.kind = action::NoticeKind::EmergencyCleanup});
  }
  announce(action::NoticeKind::Protected, models_in_use());
  announce(action::NoticeKind::Pinned, models_only_pinned());
  std::sort(idle.begin(), idle.end(), leaves_before);
  const int idle_models = static_cast<int>(idle.size());
  if (level == CleanupLevel::Normal) {
    idle.resize(1);
  }
  std::vector<ModelId> victims;
  for (const Candidate& victim : idle) {
    victims.push_back(victim.model);
    Reason reason{.why = why};
    reason.value = victim.value;
    reason.percent = pressure_.used_percent();
    const bool one_by_one = level == CleanupLevel::Normal;
    reason.mark = one_by_one ? limits_.high : limits_.critical;
    reason.until = one_by_one ? limits_.low : 0;
    reason.among = one_by_one ? idle_models : 0;
    stop(models_[victim.model.value], reason);
  }
  kept_report_due_ = kept_report_due_ || level == CleanupLevel::Emergency;
  return victims;
}

void Scheduler::announce(action::NoticeKind kind, std::vector<ModelId> names) {
  if (!names.empty()) {
    action::Notice notice;
    notice.kind = kind;
    notice.names = std::move(names);
    emit(std::move(notice));
  }
}

// After the last child of an emergency cleanup has been reaped.
void Scheduler::report_kept() {
  const bool more = std::any_of(resident_.begin(), resident_.end(), [this](ModelId id) {
    return models_[id.value].state == State::Stopping && models_[id.value].stop_for_cleanup;
  });
  if (more || !kept_report_due_) {
    return;
  }
  kept_report_due_ = false;
  action::Notice notice;
  notice.kind = action::NoticeKind::Kept;
  notice.names = loaded_models();
  notice.protected_names = protected_models();
  emit(std::move(notice));
}

// One idle model at a time, then a new reading, until below the low mark or the round proves
// fruitless.
void Scheduler::pressure_step() {
  if (!pressure_.may_evict() || shutting_down_) {
    return;
  }
  if (!cleanup(CleanupLevel::Normal, pressure_why(), false).empty()) {
    pressure_.evicted();
  }
}

std::vector<ModelId> Scheduler::protected_models() const {
  std::vector<ModelId> ids = loaded_models();
  std::erase_if(ids, [this](ModelId id) { return !is_protected(models_[id.value]); });
  return ids;
}

std::vector<ModelId> Scheduler::models_in_use() const {
  std::vector<ModelId> ids = loaded_models();
  std::erase_if(ids, [this](ModelId id) { return is_unused(models_[id.value]); });
  return ids;
}

// Nobody uses them; nothing but the pin keeps them.
std::vector<ModelId> Scheduler::models_only_pinned() const {
  std::vector<ModelId> ids = protected_models();
  std::erase_if(ids, [this](ModelId id) { return !is_unused(models_[id.value]); });
  return ids;
}

std::vector<ModelId> Scheduler::loaded_models() const {
  std::vector<ModelId> ids;
  for (const ModelId id : resident_) {
    if (models_[id.value].state != State::Stopping) {
      ids.push_back(id);
    }
  }
  return ids;
}

void Scheduler::on(const event::Unload& e) {
  action::Answer answer;
  answer.command = e.command;
  Model* model = find(e.model);
  const auto forget_wish = [this, &e] {
    std::erase_if(wanted_, [&](const Wanted& wanted) { return wanted.model == e.model; });
    for (Model& other : models_) {
      std::erase(other.victims, e.model);
    }
  };
  if (model == nullptr || !model->has_child()) {
    forget_wish();
    if (model != nullptr) {
      model->pinned = false;
      std::erase(pinned_, model->id);
    }
    answer.code = action::AnswerCode::NotLoaded;
    return emit(std::move(answer));
  }
  const bool in_use = model->state == State::Loading || !model->leases.empty() ||
                      (model->open() && model->queue.live() > 0);
  if (e.mode == UnloadMode::IfIdle && in_use && model->state != State::Stopping) {
    answer.code = action::AnswerCode::InUse;
    answer.protected_models = {model->id};
    return emit(std::move(answer));
  }
  forget_wish();
  model->pinned = false;
  std::erase(pinned_, model->id);
  answer.code = action::AnswerCode::Started;
  answer.unloading = {model->id};
  if (model->state == State::Stopping) {
    if (e.mode == UnloadMode::Force && !model->kill_sent) {
      model->kill_sent = true;
      emit(action::StopChild{model->id, model->generation, true, Reason{.why = Why::ForcedByHand}});
    }
  } else if (e.mode == UnloadMode::Force) {
    cut_leases(*model, Reason{.why = Why::Forced});
    if (model->state == State::Loading) {
      refuse_all(*model, Reason{.why = Why::Forced}, kFirstBackoff);
    }
    stop(*model, Reason{.why = Why::ForcedByHand}, true);
  } else if (model->state == State::Loading) {
    model->drain_when_ready = Why::DrainByHand;
  } else if (model->state == State::Gated) {
    model->gate = Gate::ByHand;
    model->gate_why = Why::UnloadedByHand;
  } else {
    const Why why = e.mode == UnloadMode::Drain ? Why::DrainByHand : Why::UnloadedByHand;
    shut_gate(*model, Gate::ByHand, Reason{.why = why});
  }
  touch(*model);
  emit(std::move(answer));
}

void Scheduler::on(const event::Pin& e) {
  action::Answer answer;
  answer.command = e.command;
  Model* model = find(e.model);
  if (model == nullptr || !model->listed || (e.pinned && (shutting_down_ || model->broken))) {
    answer.code = action::AnswerCode::Refused;
    return emit(std::move(answer));
  }
  if (e.pinned && !model->pinned) {
    const Footprint& size = model->has_child() ? model->reserved : model->spec.footprint;
    if (const auto unfit = misfit(*model, size)) {
      const bool alone = size.fits_in(ledger_.budget() + limits_.taken);
      answer.code = unfit->why == Why::CardTaken ? action::AnswerCode::CardTaken
                    : alone                      ? action::AnswerCode::NeverFits
                                                 : action::AnswerCode::TooLarge;
      answer.domain = unfit->domain;
      return emit(std::move(answer));
    }
    pinned_.insert(std::lower_bound(pinned_.begin(), pinned_.end(), model->id), model->id);
    // It leaves the set that was to make room for the owner, who looks for another (rule 13).
    if (model->state == State::Gated && model->gate == Gate::ForOwner && model->queue.live() == 0) {
      open_gate(*model);
    }
  } else if (!e.pinned) {
    std::erase(pinned_, model->id);
  }
  model->pinned = e.pinned;
  recheck_line();
  touch(*model);
  emit(std::move(answer));
}

// Some may never fit any more beside what is pinned.
void Scheduler::recheck_line() {
  for (const ModelId id : line_) {
    touch(models_[id.value]);
  }
}

// Those who wait were promised something by the old settings: what would make them wait longer
// waits itself.
void Scheduler::on(const event::LimitsChanged& e) {
  deferred_limits_ = e.limits;
  Limits at_once = e.limits;
  at_once.patience = std::min(at_once.patience, limits_.patience);
  const Duration shortest_turn = limits_.turn.value_or(limits_.patience);
  if (!at_once.turn || *at_once.turn > shortest_turn) {
    at_once.turn = limits_.turn;
  }
  if (limits_.request_limit) {
    at_once.request_limit =
        std::min(at_once.request_limit.value_or(*limits_.request_limit), *limits_.request_limit);
  }
  at_once.loads_at_once = limits_.loads_at_once;  // second attempts may count on being side by side
  apply(at_once);
}

void Scheduler::apply(const Limits& limits) {
  HF_ASSERT(limits.loads_at_once >= 1 && limits.max_waiting >= 1, "config validates limits");
  HF_ASSERT(limits.patience > Duration::zero(), "config validates patience");
  limits_ = limits;
  widest_queue_ = std::max(widest_queue_, limits.max_waiting);
  ledger_.set_budget(limits.budget);
  pressure_.set_marks(limits);
  terms_changed();
  recheck_line();
}

void Scheduler::apply_deferred_limits() {
  if (!deferred_limits_) {
    return;
  }
  const bool somebody_waits = std::any_of(
      models_.begin(), models_.end(), [](const Model& model) { return model.queue.live() > 0; });
  if (!somebody_waits) {
    apply(*deferred_limits_);
    deferred_limits_.reset();
  }
}

void Scheduler::want(ModelId model, const Reason& reason) {
  const bool known = std::any_of(wanted_.begin(), wanted_.end(), [&](const Wanted& wanted) {
    return wanted.model == model && wanted.reason.why == reason.why;
  });
  if (!known) {
    wanted_.push_back({model, reason});
  }
}

void Scheduler::on(const event::Preload& e) {
  const Model* model = find(e.model);
  if (model != nullptr && model->listed) {
    want(e.model, Reason{.why = Why::Preload});
  }
}

// The first one drains; a second one ends the drain at once.
void Scheduler::on(const event::Shutdown&) {
  if (shutting_down_) {
    drain_until_ = now_;
    return;
  }
  shutting_down_ = true;
  drain_until_ = now_ + limits_.drain;
  for (Model& model : models_) {
    refuse_all(model, Reason{.why = Why::ShuttingDown}, limits_.drain);
    if (model.open()) {
      shut_gate(model, Gate::ByHand, Reason{.why = Why::Shutdown});
    } else if (model.state == State::Gated) {
      model.gate = Gate::ByHand;
      model.gate_why = Why::Shutdown;
    }
  }
}

void Scheduler::on(const event::Wake&) {}  // settle() looks at the clock

}  // namespace hf::core
