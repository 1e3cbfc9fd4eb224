#include "sim/rule_watch.h"

#include <algorithm>

namespace hf::sim {

using core::Why;

void RuleWatch::before(const core::Event& event, const core::Scheduler& scheduler, TimePoint now) {
  now_ = now;
  owner_ = scheduler.owner();
  limits_ = scheduler.limits();
  level_ = scheduler.memory().level;
  reading_ = std::holds_alternative<core::event::MemoryReading>(event);
  if (reading_) {
    stalled_ = std::get<core::event::MemoryReading>(event).stalled;
  }
  reaped_.reset();
  shut_for_owner_ = false;
  if (const auto* added = std::get_if<core::event::ModelAdded>(&event)) {
    priority_[added->model.value] = added->spec.priority;
  } else if (const auto* failed = std::get_if<core::event::LoadFailed>(&event)) {
    if (failed->model.value < made_room_.size()) {
      made_room_[failed->model.value] = false;
    }
  } else if (const auto* exited = std::get_if<core::event::Exited>(&event)) {
    reaped_ = exited->model;
  } else if (const auto* arrived = std::get_if<core::event::Arrived>(&event)) {
    oldest_ = oldest_for(arrived->model, scheduler);
  }
}

std::optional<TimePoint> RuleWatch::oldest_for(ModelId model, const core::Scheduler& scheduler) {
  const std::optional<core::WaitView> wait = scheduler.wait_of(model);
  return wait ? std::optional(scheduler.now() - wait->oldest) : std::nullopt;
}

void RuleWatch::note(const core::Action& action, const core::Scheduler& scheduler) {
  coverage_.note(action);
  if (const auto* stop = std::get_if<core::action::StopChild>(&action)) {
    on(*stop);
  } else if (const auto* start = std::get_if<core::action::StartLoad>(&action)) {
    on(*start, scheduler);
  } else if (const auto* gate = std::get_if<core::action::GateMoved>(&action)) {
    on(*gate);
  } else if (const auto* notice = std::get_if<core::action::Notice>(&action)) {
    if (notice->kind == core::action::NoticeKind::MemoryStall) {
      stall_began_ = now_;
      given_up_ = false;
    } else if (notice->kind == core::action::NoticeKind::StallGivenUp) {
      given_up_ = true;
      const bool full = now_ - stall_began_ >= core::kLongestStall;
      if (!reading_) {
        coverage_.note(full ? Mark::LongStall : Mark::StallsSpent);
      }
    }
  }
}

void RuleWatch::on(const core::action::StopChild& a) {
  if (a.reason.why != Why::IdleVictim || !a.reason.for_model) {
    return;
  }
  if (a.reason.for_model == owner_) {
    coverage_.note(Mark::OwnerTookIdle);
  }
  made_room_[a.reason.for_model->value] = true;
}

void RuleWatch::on(const core::action::StartLoad& a, const core::Scheduler& scheduler) {
  if (a.reason.why == Why::RetryAfterOom && made_room_[a.model.value]) {
    coverage_.note(Mark::RetryMadeRoom);
  }
  if (stalled_ && given_up_) {
    coverage_.note(Mark::StallGivenUp);
  }
  if (a.reason.why != Why::HeadFits) {
    return;
  }
  if (a.model == reaped_) {
    coverage_.note(Mark::ReloadedAfterOwnReap);
  }
  if (priority_[a.model.value] > 0) {
    const std::vector<core::WaitView> waiting = scheduler.waiting();
    if (std::any_of(waiting.begin(), waiting.end(), [&](const core::WaitView& other) {
          return other.position > 0 && other.oldest > a.reason.waited &&
                 priority_[other.model.value] < priority_[a.model.value];
        })) {
      coverage_.note(Mark::HigherPriorityFirst);
    }
  }
}

void RuleWatch::on(const core::action::GateMoved& a) {
  if (!a.shut || a.reason.why != Why::OwnerWaits) {
    return;
  }
  shut_for_owner_ = true;
  if (a.reason.for_model == owner_) {
    coverage_.note(Mark::OwnerNeededMore);
  } else if (a.reason.waited > limits_.patience) {
    coverage_.note(Mark::GatedLate);
  }
}

void RuleWatch::after(const core::Event& event, const core::Scheduler& scheduler) {
  if (scheduler.owner() && scheduler.owner() != owner_ && !shut_for_owner_) {
    coverage_.note(Mark::OwnerWithoutSet);
  }
  if (!std::holds_alternative<core::event::LimitsChanged>(event) &&
      !(scheduler.limits() == limits_)) {
    coverage_.note(Mark::SettingsApplied);
  }
  const bool normal = scheduler.memory().level == core::PressureLevel::Normal;
  if (std::holds_alternative<core::event::Wake>(event) && normal &&
      level_ != core::PressureLevel::Normal) {
    coverage_.note(Mark::StallPassed);
  }
  // Who is older at once than all who waited took over the age of a place that was kept.
  if (const auto* arrived = std::get_if<core::event::Arrived>(&event)) {
    const std::optional<TimePoint> oldest = oldest_for(arrived->model, scheduler);
    if (oldest && *oldest < oldest_.value_or(now_)) {
      coverage_.note(Mark::PlaceTakenBack);
    }
  }
}

void RuleWatch::add(const Counters& counters) {
  if (counters.deadlines_tightened > 0) {
    coverage_.note(Mark::DeadlineTightened);
  }
  if (counters.deadlines_postponed > 0) {
    coverage_.note(Mark::DeadlinePostponed);
  }
}

}  // namespace hf::sim
