// Everything that happens because time passed: placeholders, ttl, bites, warnings, the drain
// deadline.
#include <algorithm>

#include "base/assert.h"
#include "core/scheduler.h"

namespace hf::core {
namespace {

// How long a lease may last once it is bitten.
std::optional<Duration> limit_of(const Limits& limits, const Lease& lease) {
  return limits.request_limit ? limits.request_limit : lease.limit;
}

}  // namespace

void Scheduler::expire_placeholders() {
  while (!placeholders_.empty() && placeholders_.front().first <= now_) {
    Model& model = models_[placeholders_.front().second.value];
    placeholders_.pop_front();
    if (model.queue.expire(now_) > 0) {
      touch(model);
    }
  }
}

void Scheduler::stop_expired_ttl() {
  for (std::size_t i = 0; i < timed_.size(); ++i) {
    Model& model = models_[timed_[i].value];
    if (model.state == State::Failed && model.failed_until <= now_) {
      model.state = State::Absent;
      model.state_since = now_;
    }
    const TimePoint idle_since = std::max(model.last_use, model.ready_since);
    if (model.spec.ttl && model.state == State::Ready && is_idle(model) &&
        idle_since + *model.spec.ttl <= now_) {
      Reason reason{.why = Why::IdleTooLong};
      reason.waited = now_ - idle_since;
      reason.limit = *model.spec.ttl;
      stop(model, reason);
    }
  }
  std::erase_if(timed_, [this](ModelId id) {
    const Model& model = models_[id.value];
    return !model.spec.ttl && model.state != State::Failed;
  });
  if (shutting_down_ && drain_until_ <= now_) {
    for (const ModelId id : resident_) {
      Model& model = models_[id.value];
      if (model.state != State::Stopping) {
        cut_leases(model, Reason{.why = Why::DrainDeadline});
        stop(model, Reason{.why = Why::DrainDeadline}, model.state == State::Loading);
      }
    }
  }
}

Duration Scheduler::oldest_wait() const {
  Duration oldest{};
  for (const ModelId id : line_) {
    oldest = std::max(oldest, now_ - models_[id.value].queue.oldest());
  }
  return oldest;
}

// Q of the rules: no longer than what those who wait were told.
Duration Scheduler::turn_of(const Model& model) const {
  const Duration own = own_turn(model);
  return std::min(own, promised_turn_.value_or(own));
}

Duration Scheduler::own_turn(const Model& model) const {
  if (limits_.turn) {
    return *limits_.turn;
  }
  return std::min(kLongestTurn, std::max(limits_.patience, 10 * model.spec.reload));
}

// Rule 10: from when the model's leases may be ended, because somebody waits for its memory or for
// one of its slots; nullopt while nobody does.
std::optional<TimePoint> Scheduler::bite_start(const Model& model) const {
  if (model.state == State::Gated) {
    const bool somebody_waits = !line_.empty();
    if (model.gate == Gate::ForOwner || somebody_waits) {
      return model.gated_at;
    }
    return std::nullopt;
  }
  if (model.state == State::Ready && !model.slot_free() && model.queue.live() > 0 &&
      mutant_ != Mutant::OnlyGatesBite) {
    return model.queue.oldest_live() + limits_.patience;  // may lie ahead
  }
  return std::nullopt;
}

// Most of the time: nobody waits, no gate is shut. Then the leases need not be looked at.
bool Scheduler::undisturbed() const {
  return gated_ == 0 && places_.size() == leases_;
}

void Scheduler::update_bites() {
  if (undisturbed() && !bitten_) {
    return;
  }
  bitten_ = false;
  for (const ModelId id : resident_) {
    Model& model = models_[id.value];
    const std::optional<TimePoint> start = bite_start(model);
    if (!start || *start > now_) {
      model.bitten_since.reset();
    } else if (!model.bitten_since || *start < *model.bitten_since) {
      model.bitten_since = start;
    }
    bitten_ = bitten_ || model.bitten_since;
  }
}

void Scheduler::cut_bitten() {
  if (!bitten_) {
    return;
  }
  for (const ModelId id : resident_) {
    Model& model = models_[id.value];
    if (!model.bitten_since) {
      continue;
    }
    for (std::size_t i = 0; i < model.leases.size();) {
      const Lease& lease = model.leases[i];
      const TimePoint bitten = std::max(lease.since, *model.bitten_since);
      Reason reason;
      const std::optional<Duration> limit = limit_of(limits_, lease);
      if (limit && bitten + *limit <= now_) {
        reason = Reason{.why = Why::RequestLimit};
        reason.limit = *limit;
        reason.waited = now_ - bitten;
      } else if (lease.stalled_since && *lease.stalled_since + limits_.reader_stall <= now_) {
        reason = Reason{.why = Why::ReaderStalled};
        reason.limit = limits_.reader_stall;
        reason.waited = now_ - *lease.stalled_since;
      } else {
        ++i;
        continue;
      }
      emit(action::CutLease{lease.ticket, model.id, reason});
      forget_ticket(lease.ticket);
      model.leases.erase(model.leases.begin() + static_cast<std::ptrdiff_t>(i));
      --leases_;
      model.last_use = now_;
      touch(model);
    }
  }
}

// U11: all that is loaded has been in use for a while, and somebody waits for memory.
void Scheduler::warn_all_in_use() {
  const bool somebody_waits = std::any_of(line_.begin(), line_.end(), [this](ModelId id) {
    return models_[id.value].queue.live() > 0;
  });
  const bool one_in_use = std::any_of(resident_.begin(), resident_.end(), [this](ModelId id) {
    const Model& model = models_[id.value];  // not only kept by a pin
    return !model.leases.empty() || model.state == State::Loading || model.queue.live() > 0;
  });
  const bool all_in_use = somebody_waits && one_in_use && !resident_.empty() &&
                          std::none_of(resident_.begin(), resident_.end(),
                                       [this](ModelId id) { return is_idle(models_[id.value]); });
  if (!somebody_waits || !all_in_use) {
    all_in_use_since_.reset();
    return;
  }
  if (!all_in_use_since_) {
    all_in_use_since_ = now_;
    next_long_warning_ = now_ + limits_.all_in_use_warning;
  }
  if (now_ >= next_long_warning_) {
    // Again after ten times as long: a reminder, not a flood.
    next_long_warning_ = now_ + 10 * limits_.all_in_use_warning;
    action::Notice notice;
    notice.kind = action::NoticeKind::AllInUseLong;
    notice.names = models_in_use();
    notice.pinned_names = models_only_pinned();
    notice.lasted = now_ - *all_in_use_since_;
    emit(std::move(notice));
  }
}

// The earliest moment at which any rule could decide otherwise although nothing happens.
void Scheduler::plan_deadline() {
  TimePoint next = TimePoint::max();
  const auto consider = [&](TimePoint at) {
    if (at > now_) {
      next = std::min(next, at);
    }
  };
  if (!placeholders_.empty()) {
    consider(placeholders_.front().first);
  }
  for (const ModelId id : line_) {
    consider(models_[id.value].queue.oldest() + limits_.patience);
  }
  for (const ModelId id : timed_) {
    const Model& model = models_[id.value];
    if (model.state == State::Failed) {
      consider(model.failed_until);
    }
    if (model.spec.ttl && model.state == State::Ready) {
      consider(std::max(model.last_use, model.ready_since) + *model.spec.ttl);
    }
  }
  for (const ModelId id : resident_) {
    if (undisturbed() && line_.empty()) {
      break;  // nobody waits for a turn, and no lease can be bitten
    }
    const Model& model = models_[id.value];
    if (!line_.empty() && model.state == State::Ready) {
      consider(model.ready_since + turn_of(model));
    }
    const std::optional<TimePoint> bite = bite_start(model);
    if (!bite) {
      continue;
    }
    consider(*bite);
    // Once bitten it stays so while somebody waits, also when the oldest waiter changes.
    const TimePoint bitten = std::min(*bite, model.bitten_since.value_or(*bite));
    for (const Lease& lease : model.leases) {
      if (const auto limit = limit_of(limits_, lease)) {
        consider(std::max(lease.since, bitten) + *limit);
      }
      if (lease.stalled_since) {
        consider(std::max(*lease.stalled_since + limits_.reader_stall, bitten));
      }
    }
  }
  if (all_in_use_since_) {
    consider(next_long_warning_);
  }
  if (pressure_.stalled_until()) {
    consider(*pressure_.stalled_until());
  }
  if (pressure_.stall_counts()) {
    consider(pressure_.longest_stall_until());
  }
  if (shutting_down_ && !finished_) {
    consider(drain_until_);
  }
  deadline_ = next == TimePoint::max() ? std::nullopt : std::optional(next);
}

// The last reading that told of a stall is long enough ago, or the first one is.
void Scheduler::end_stall() {
  if (!pressure_.stalled_until() || *pressure_.stalled_until() > now_) {
    return give_up_stall(false);
  }
  const bool stood_still = pressure_.level() != PressureLevel::Normal;
  if (pressure_.end_stall(now_).left) {
    all_in_use_told_ = false;
  }
  if (mutant_ == Mutant::ForgetStalls) {
    pressure_.forget_stalls_for_test();
  }
  move_clocks(stood_still);
}

// What no eviction ends must not forbid loads for ever: tasks of a stranger that thrash in their
// own limit look the same.
void Scheduler::give_up_stall(bool after_reading) {
  if (!pressure_.stall_counts() || mutant_ == Mutant::NeverGiveUpStalls) {
    return;
  }
  const bool vain = after_reading && pressure_.stall_round_failed();
  if (!vain && pressure_.longest_stall_until() > now_) {
    return;
  }
  pressure_.give_up_stall(now_);
  move_clocks(true);
  action::Notice notice;
  notice.kind = action::NoticeKind::StallGivenUp;
  notice.percent = pressure_.used_percent();
  emit(std::move(notice));
}

}  // namespace hf::core
