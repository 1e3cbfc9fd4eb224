// What requests and the catalogue tell the core.
#include <algorithm>

#include "base/assert.h"
#include "core/scheduler.h"

namespace hf::core {
namespace {

// Those who wait may have been told the shorter one.
void shorten_open_ended(Model& model) {
  for (Lease& lease : model.leases) {
    if (lease.limit && model.spec.longest_answer) {
      lease.limit = std::min(*lease.limit, *model.spec.longest_answer);
    }
  }
}

}  // namespace

void Scheduler::on(const event::ModelAdded& e) {
  HF_ASSERT(e.model.value <= models_.size(), "ids are handed out densely");
  HF_ASSERT(e.spec.slots >= 1, "a model has a slot");
  if (e.model.value == models_.size()) {
    Model model;
    model.id = e.model;
    model.state_since = now_;
    if (e.history) {
      model.use_count = e.history->use_count;
      model.episodes = e.history->episodes;
      model.last_use = now_ - e.history->since_last_use;
      model.episodes_at = model.last_use;
      model.episode_began = model.last_use;
    } else {
      model.last_use = now_ - kEpisodeHalfLife;  // never used: idle for long, no episodes
      model.episodes_at = now_;
    }
    models_.push_back(std::move(model));
    // Grown now and not in the middle of a rush, when that would take a millisecond.
    constexpr int kUsualQueue = 64;
    const auto crowd = static_cast<std::size_t>(std::min(limits_.max_waiting, kUsualQueue)) +
                       static_cast<std::size_t>(e.spec.slots);
    places_.reserve(models_.size() * crowd);
  }
  terms_changed();
  Model& model = models_[e.model.value];
  if (model.has_child()) {  // it goes on by the spec it was started with
    const bool known = model.child_answer && model.spec.longest_answer;
    model.child_answer =
        known ? std::optional(std::max(*model.child_answer, *model.spec.longest_answer))
              : std::nullopt;
  }
  model.spec = e.spec;
  shorten_open_ended(model);
  model.listed = true;
  model.broken = false;
  if (model.state == State::Failed) {  // a new file deserves a new try
    model.state = State::Absent;
    model.failures = 0;
    model.crashes = 0;
  }
  std::erase(timed_, model.id);
  if (model.spec.ttl) {
    timed_.push_back(model.id);
  }
  if (e.restart && model.open()) {
    shut_gate(model, Gate::ByHand, Reason{.why = Why::SpecChanged});
  } else if (e.restart && model.state == State::Gated) {
    model.gate = Gate::ByHand;
    model.gate_why = Why::SpecChanged;
  } else if (e.restart && model.state == State::Loading) {
    model.drain_when_ready = Why::SpecChanged;
  }
  touch(model);
  recheck_line();
}

void Scheduler::on(const event::ModelBroken& e) {
  if (Model* model = find(e.model)) {
    model->broken = true;
    touch(*model);  // who waits for its next start is refused
  }
}

void Scheduler::on(const event::ModelRemoved& e) {
  Model* model = find(e.model);
  if (model == nullptr || !model->listed) {
    return;
  }
  terms_changed();
  model->listed = false;
  model->pinned = false;
  std::erase(pinned_, model->id);
  refuse_all(*model, Reason{.why = Why::ModelGone}, Duration::zero());
  if (model->open()) {
    shut_gate(*model, Gate::ByHand, Reason{.why = Why::Removed});
  } else if (model->state == State::Gated) {
    model->gate = Gate::ByHand;
    model->gate_why = Why::Removed;
  } else if (model->state == State::Loading) {
    model->drain_when_ready = Why::Removed;
  }
  touch(*model);
}

void Scheduler::on(const event::SpecTuned& e) {
  Model* model = find(e.model);
  if (model == nullptr) {
    return;
  }
  terms_changed();
  if (e.reload) {
    model->spec.reload = *e.reload;
  }
  if (e.longest_answer) {
    model->spec.longest_answer = *e.longest_answer;
    shorten_open_ended(*model);
  }
  if (e.footprint) {
    model->spec.footprint = *e.footprint;
    recheck_line();
  }
  touch(*model);
}

std::optional<RefusalAtOnce> Scheduler::refusal_at_once(ModelId id) const {
  const Model* model = find(id);
  const auto refusal = [](Why why, Duration retry_after = Duration::zero()) {
    return RefusalAtOnce{Reason{.why = why}, retry_after};
  };
  if (model == nullptr || !model->listed) {
    return refusal(Why::ModelGone);
  }
  if (shutting_down_) {
    return refusal(Why::ShuttingDown, limits_.drain);
  }
  if (model->open() || model->state == State::Loading) {
    return std::nullopt;
  }
  if (model->broken) {
    return refusal(Why::ModelBroken);
  }
  if (model->state == State::Failed && now_ < model->failed_until) {
    return refusal(Why::ModelFailed, model->failed_until - now_);
  }
  if (const auto unfit = misfit(*model, model->spec.footprint)) {
    return RefusalAtOnce{*unfit, pause_after(*unfit)};
  }
  return std::nullopt;
}

void Scheduler::on(const event::Arrived& e) {
  Model* model = find(e.model);
  HF_ASSERT(!places_.contains(e.ticket), "a ticket arrives once");
  if (const auto refusal = refusal_at_once(e.model)) {
    return emit(action::Refuse{e.ticket, e.model, refusal->retry_after, refusal->reason});
  }
  if (model->state == State::Failed) {  // its back-off is over
    model->state = State::Absent;
    model->state_since = now_;
  }
  if (e.kind == TicketKind::Request) {
    model->episodes = decayed_episodes(model->episodes, now_ - model->episodes_at);
    model->episodes_at = now_;
    if (now_ - model->episode_began > kEpisodeGap || model->use_count == 0) {
      model->episodes += 1;
      model->episode_began = now_;
    }
    ++model->use_count;
    model->last_use = now_;
  }
  places_[e.ticket] = TicketPlace{model->id, false};
  model->queue.add(e.ticket, e.user, e.kind, now_);
  touch(*model);
  grant_waiting(*model);  // a ticket that gets a slot at once does not count as waiting
  update_line(*model);    // the bound counts from the model's place in line
  if (WaitingTicket* ticket = model->queue.find(e.ticket)) {
    publish_bound(*model, *ticket, line_position(*model),
                  model->queue.place_of(*ticket, limits_.users));
  }
  if (model->queue.live() > limits_.max_waiting) {
    promise_ended_ = true;
    const WaitingTicket* const newest = model->queue.newest_of_largest_user(e.user);
    const TicketId last = newest->id;
    // Whose share is as large as another's has not used up theirs: the server cannot now.
    const bool used_up = model->queue.has_more_than_others(newest->user);
    model->queue.remove(last);
    forget_ticket(last);
    const Reason reason{.why = used_up ? Why::UserLimit : Why::QueueFull};
    emit(action::Refuse{last, model->id, retry_after(*model), reason});
  }
}

void Scheduler::on(const event::Ended& e) {
  const auto place = places_.find(e.ticket);
  if (place == places_.end()) {
    return;  // refused, cut or ended before
  }
  Model& model = models_[place->second.model.value];
  const bool leased = place->second.leased;
  places_.erase(place);
  touch(model);
  if (!leased) {
    const WaitingTicket* ticket = model.queue.find(e.ticket);
    HF_ASSERT(ticket != nullptr, "a ticket that is not leased waits");
    const TimePoint until = now_ + limits_.placeholder;
    // As many as may wait, so that vanishing clients cannot grow the queue without end.
    const bool room = model.queue.size() - model.queue.live() < limits_.max_waiting;
    promise_ended_ = true;
    if (e.kind == EndKind::ClientGone && ticket->kind == TicketKind::Request && room) {
      model.queue.leave_placeholder(e.ticket, until);
      placeholders_.emplace_back(until, model.id);
    } else {
      model.queue.remove(e.ticket);
    }
    return;
  }
  const auto lease = std::find_if(model.leases.begin(), model.leases.end(),
                                  [&](const Lease& l) { return l.ticket == e.ticket; });
  HF_ASSERT(lease != model.leases.end(), "a leased ticket is in its model's list");
  constexpr double kNewShare = 0.2;  // moving average over about five answers
  model.mean_answer_s += kNewShare * (seconds_of(now_ - lease->since) - model.mean_answer_s);
  model.leases.erase(lease);
  --leases_;
  model.last_use = now_;
  if (e.kind == EndKind::Done) {
    model.failures = 0;
    model.crashes = 0;
  }
}

// nullptr: it is none, or no longer.
Lease* Scheduler::find_lease(TicketId ticket) {
  const auto place = places_.find(ticket);
  if (place == places_.end() || !place->second.leased) {
    return nullptr;
  }
  std::vector<Lease>& leases = models_[place->second.model.value].leases;
  const auto lease = std::find_if(leases.begin(), leases.end(),
                                  [ticket](const Lease& one) { return one.ticket == ticket; });
  return lease == leases.end() ? nullptr : &*lease;
}

void Scheduler::on(const event::OpenEnded& e) {
  if (Lease* lease = find_lease(e.ticket)) {
    lease->limit = models_[places_.at(e.ticket).model.value].spec.longest_answer;
  }
}

void Scheduler::on(const event::ReaderStalled& e) {
  Lease* lease = find_lease(e.ticket);
  if (lease != nullptr && !lease->stalled_since) {
    lease->stalled_since = now_;
  }
}

void Scheduler::on(const event::ReaderResumed& e) {
  if (Lease* lease = find_lease(e.ticket)) {
    lease->stalled_since.reset();
  }
}

void Scheduler::refuse_all(Model& model, const Reason& reason, Duration retry) {
  promise_ended_ = true;
  for (const WaitingTicket& ticket : model.queue.take_all()) {
    if (ticket.live()) {
      forget_ticket(ticket.id);
      emit(action::Refuse{ticket.id, model.id, retry, reason});
    }
  }
  std::erase(retries_, model.id);
  model.oom_retry = false;  // with its tickets its turn is over
  touch(model);
}

}  // namespace hf::core
