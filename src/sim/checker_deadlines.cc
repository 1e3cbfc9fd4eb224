// Published deadlines: nobody waits past the latest of them, and none moves later but by the time
// that memory pressure lasted, which by a stall alone is a minute at most.
#include <algorithm>

#include "sim/checker.h"

namespace hf::sim {
namespace {

// So few are compared after each event; more than that where they may have moved, and now and then.
constexpr std::size_t kFewWaiting = 12;
constexpr std::uint64_t kSample = 32;

}  // namespace

void Checker::follow_deadlines(const core::Scheduler& scheduler) {
  if (deadlines_moved_ || waiting_.size() <= kFewWaiting || events_ % kSample == 0) {
    for (const TicketId id : waiting_) {
      follow_deadline(scheduler, id);
    }
  } else if (arrived_) {
    follow_deadline(scheduler, *arrived_);
  }
}

void Checker::follow_deadline(const core::Scheduler& scheduler, TicketId id) {
  Ticket& ticket = tickets_[id.value];
  if (ticket.stage != Stage::Waiting) {
    return;
  }
  const std::optional<TimePoint> published = scheduler.deadline_of(id);
  expect(published.has_value(), "a bound is published where its terms are known");
  if (!published) {
    return;
  }
  expect(!ticket.deadline || *published <= *ticket.deadline,
         "a published deadline never moves later");
  if (ticket.deadline && *published < *ticket.deadline) {
    ++counters_.deadlines_tightened;
  }
  if (!ticket.deadline && models_[ticket.model.value].phase != Phase::Loading) {
    ticket.told = published;
  }
  ticket.deadline = published;
}

// A wait ended, with a grant or with an error.
void Checker::judge_wait(const Ticket& ticket) {
  if (!ticket.deadline) {
    return;
  }
  const Duration pause = pause_of(ticket);
  const double waited = seconds_of(now_ - ticket.arrived);
  const auto share_of = [&](TimePoint deadline) {
    const double bound = seconds_of(deadline + pause - ticket.arrived);
    return bound > 0 ? waited / bound : 0;
  };
  ++counters_.bounds_checked;
  counters_.worst_wait = std::max(counters_.worst_wait, share_of(*ticket.deadline));
  if (ticket.told) {
    counters_.worst_told = std::max(counters_.worst_told, share_of(*ticket.told));
  }
  expect(now_ <= *ticket.deadline + pause, "nobody waits longer than the published bound");
}

void Checker::check_deadlines() {
  for (const TicketId id : waiting_) {
    const Ticket& ticket = tickets_[id.value];
    if (ticket.stage == Stage::Waiting && ticket.deadline &&
        now_ > *ticket.deadline + pause_of(ticket)) {
      judge_wait(ticket);  // it goes on: what it has come to is enough
    }
  }
}

// How long this ticket has waited under pressure since the latest reading.
Duration Checker::pause_of(const Ticket& ticket) const {
  return stressed() ? now_ - std::max(stressed_since_, ticket.arrived) : Duration::zero();
}

void Checker::postpone_deadlines() {
  for (const TicketId id : waiting_) {
    Ticket& ticket = tickets_[id.value];
    const Duration pause = pause_of(ticket);
    if (ticket.stage == Stage::Waiting && ticket.deadline && pause > Duration::zero()) {
      *ticket.deadline += pause;
      if (ticket.told) {
        *ticket.told += pause;
      }
      ++counters_.deadlines_postponed;
    }
  }
  stressed_since_ = now_;
  deadlines_moved_ = true;
}

void Checker::renew_stall() {
  if (!stalled_until_) {
    stalled_since_ = now_;
    // A second of a stall is paid back by five without one that counts.
    const Duration paid_back = (now_ - stall_debt_at_) / 5;
    stall_debt_ = std::max(Duration::zero(), stall_debt_ - paid_back);
  }
  stalled_until_ = now_ + core::kStallLasts;
}

void Checker::stall_ceases_to_count() {
  stall_debt_ += now_ - stalled_since_;
  stall_debt_at_ = now_;
}

bool Checker::stall_allowance_is_spent() const {
  return stall_debt_ + (now_ - stalled_since_) >= core::kLongestStall;
}

// Whether it helped that a model went: at once where the percentage has the say, else when the
// readers can know that the stall is over.
void Checker::judge_pressed_out() {
  if (!pressed_out_ || !pressed_out_->reaped) {
    return;
  }
  const bool may_still_show = stalled_ && !above_marks_;
  if (may_still_show && now_ < *pressed_out_->reaped + core::kStallSettles) {
    return;
  }
  const bool helped = used_percent_ < pressed_out_->percent_before - 0.05 ||
                      (pressed_out_->stalled_before && !stalled_ && !stall_given_up_);
  gone_in_vain_ = helped ? 0 : gone_in_vain_ + 1;
  if (stalled_until_ && stall_given_up_) {
    gone_in_vain_given_up_ = helped ? 0 : gone_in_vain_given_up_ + (pressed_out_->by_stall ? 1 : 0);
    stall_is_hopeless_ = stall_is_hopeless_ || gone_in_vain_given_up_ >= 2;
  }
  pressed_out_.reset();
}

// After evictions in vain, or after a minute, earlier ones included.
void Checker::judge_stall_given_up() {
  expect(stall_counts(), "what is given up is a stall that counts");
  expect(gone_in_vain_ >= 2 || stall_allowance_is_spent(),
         "a stall counts while something can be done about it");
  stall_is_hopeless_ = !stall_allowance_is_spent();
  stall_ceases_to_count();
  postpone_deadlines();
  stall_given_up_ = true;
}

}  // namespace hf::sim
