#include "sim/rule_watch.h"

#include <algorithm>

namespace hf::sim {

using core::Why;

void RuleWatch::before(const core::Event& event, const core::Scheduler& scheduler, TimePoint now) {
  now_ = now;
  owner_ = scheduler.owner();
  limits_ = scheduler.limits();
  reaped_.reset();
  shut_for_owner_ = false;
  if (const auto* added = std::get_if<core::event::ModelAdded>(&event)) {
    priority_[added->model.value] = added->spec.priority;
  } else if (const auto* failed = std::get_if<core::event::LoadFailed>(&event)) {
    if (failed->model.value < out_of_memory_.size()) {
      out_of_memory_[failed->model.value] = failed->failure == core::LoadFailure::OutOfMemory;
    }
  } else if (const auto* exited = std::get_if<core::event::Exited>(&event)) {
    reaped_ = exited->model;
  } else if (const auto* ended = std::get_if<core::event::Ended>(&event)) {
    const auto waiting = ended->kind == core::EndKind::ClientGone
                             ? scheduler.waiting_ticket(ended->ticket)
                             : std::nullopt;
    if (waiting) {
      departed_[{waiting->model, waiting->user}] = now;
    }
  }
}

void RuleWatch::note(const core::Action& action, const core::Scheduler& scheduler) {
  coverage_.note(action);
  if (const auto* stop = std::get_if<core::action::StopChild>(&action)) {
    on(*stop);
  } else if (const auto* start = std::get_if<core::action::StartLoad>(&action)) {
    on(*start, scheduler);
  } else if (const auto* gate = std::get_if<core::action::GateMoved>(&action)) {
    on(*gate);
  }
}

void RuleWatch::on(const core::action::StopChild& a) {
  if (a.reason.why != Why::IdleVictim || !a.reason.for_model) {
    return;
  }
  if (a.reason.for_model == owner_) {
    coverage_.note(Mark::OwnerTookIdle);
  }
  if (out_of_memory_[a.reason.for_model->value]) {
    coverage_.note(Mark::RetryMadeRoom);
  }
}

void RuleWatch::on(const core::action::StartLoad& a, const core::Scheduler& scheduler) {
  out_of_memory_[a.model.value] = false;
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
    coverage_.note(Mark::NoSetTriedAgain);
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
  const auto* arrived = std::get_if<core::event::Arrived>(&event);
  if (arrived == nullptr || arrived->kind != core::TicketKind::Request) {
    return;
  }
  const auto left = departed_.find({arrived->model, arrived->user});
  if (left != departed_.end()) {
    if (now_ - left->second < limits_.placeholder && scheduler.deadline_of(arrived->ticket)) {
      coverage_.note(Mark::PlaceTakenBack);
    }
    departed_.erase(left);
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
