// How long somebody waits: the bound that is promised, and the time that is expected.
#include <algorithm>
#include <cmath>

#include "base/assert.h"
#include "core/bound.h"
#include "core/scheduler.h"

namespace hf::core {

// The terms that every bound shares. They change with the models and the settings, which is seldom;
// requests come all the time.
const SharedTerms& Scheduler::shared_terms() {
  if (shared_terms_) {
    return *shared_terms_;
  }
  SharedTerms terms;
  bool known = true;
  for (const Model& model : models_) {
    terms.one_priority = terms.one_priority && model.spec.priority == models_.front().spec.priority;
    terms.turn = std::max(terms.turn, own_turn(model));
    // Neighbours may leave while those wait who are told this bound.
    const bool loadable =
        model.listed && model.spec.footprint.fits_in(ledger_.budget() + limits_.taken);
    if (!loadable && !model.has_child()) {
      continue;  // it cannot stand in anybody's way
    }
    // Both attempts. One that runs into its deadline has failed when its child has been stopped;
    // before the second one, idle models may have to be stopped for what it needs more.
    const Duration attempt = model.state == State::Loading
                                 ? std::max(model.spec.load_deadline, model.child_load_deadline)
                                 : model.spec.load_deadline;
    terms.load = std::max(terms.load, 2 * (attempt + limits_.stop_deadline));
    known = known && model.spec.longest_answer.has_value();
    terms.answer = std::max(terms.answer, model.spec.longest_answer);
    if (model.has_child()) {
      known = known && model.child_answer.has_value();
      terms.answer = std::max(terms.answer, model.child_answer);
    }
    if (loadable) {
      ++terms.loadable;
      terms.priority = std::max(terms.priority, model.spec.priority);
    }
  }
  if (limits_.request_limit) {
    terms.answer = limits_.request_limit;
  } else if (!known) {
    terms.answer.reset();  // a model could hold its memory for a time that nobody knows
  }
  // Out of memory in all loads at once: they make room one after the other.
  terms.load += (limits_.loads_at_once - 1) * limits_.stop_deadline;
  shared_terms_ = terms;
  return *shared_terms_;
}

// Those who wait were told a deadline by the turn that held until now.
void Scheduler::terms_changed() {
  if (shared_terms_) {
    promised_turn_ = std::min(promised_turn_.value_or(shared_terms_->turn), shared_terms_->turn);
    promise_ended_ = true;  // perhaps nobody waits
    bounds_old_ = true;
    shared_terms_.reset();
  }
}

// A turn that grew, because a load took longer than the one before, counts once nobody waits who
// was told a deadline by a shorter one.
void Scheduler::release_promised_turn() {
  if (!promised_turn_ || !promise_ended_) {
    return;
  }
  promise_ended_ = false;
  promised_turn_.reset();
  const Duration turn = shared_terms().turn;
  for (const Model& model : models_) {
    for (const WaitingTicket& ticket : model.queue.tickets()) {
      if (ticket.live() && ticket.deadline && ticket.terms.turn < turn) {
        promised_turn_ = std::min(promised_turn_.value_or(turn), ticket.terms.turn);
      }
    }
  }
}

// A deadline only ever moves closer: what is published is min(old, now + bound).
void Scheduler::publish_bound(const Model& model, WaitingTicket& ticket, int position, int place) {
  const SharedTerms& shared = shared_terms();
  if (!shared.answer) {
    return;
  }
  BoundTerms terms;
  terms.patience = limits_.patience;
  terms.turn = shared.turn;
  terms.answer = *shared.answer;
  terms.load = shared.load;
  terms.stop = limits_.stop_deadline;
  terms.place = place;
  terms.slots = std::min(model.slots(), model.spec.slots);  // of this generation and the next
  terms.models = std::max(1, shared.loadable);
  terms.standing = Standing::OpenButFull;
  if (model.state == State::Loading) {
    terms.standing = Standing::Loading;
  } else if (!model.open()) {
    terms.standing = Standing::InLine;
    const bool outranked = shared.loadable > 0 && shared.priority > model.spec.priority;
    terms.ahead = std::max(0, position - 1) + (outranked ? 1 : 0);
    if (owner_ && *owner_ != model.id && models_[owner_->value].line_number > model.line_number) {
      ++terms.ahead;
    }
    if (mutant_ == Mutant::BoundCountsLoadsAside) {
      terms.ahead /= limits_.loads_at_once;
    }
  }
  const TimePoint deadline = now_ + wait_bound(terms);
  if (!ticket.deadline || deadline < *ticket.deadline) {
    ticket.deadline = deadline;
    ticket.terms = terms;
  }
}

// Since the deadlines were told, loads may have started, so that fewer models stand before the
// others, or the longest answer may have become known. Done when somebody looks, not at each load:
// thousands may wait.
void Scheduler::tell_time(TimePoint now) {
  HF_ASSERT(now >= now_, "time is monotonic");
  now_ = now;
  if (!bounds_old_) {
    return;
  }
  bounds_old_ = false;
  const auto tell = [this](Model& model, int position) {
    if (model.queue.live() == 0) {
      return;
    }
    const std::vector<int> places = model.queue.places(limits_.users);
    std::size_t at = 0;
    for (WaitingTicket& ticket : model.queue.tickets_to_publish()) {
      const int place = places[at++];
      if (ticket.live()) {
        publish_bound(model, ticket, position, place);
      }
    }
  };
  for (std::size_t i = 0; i < line_.size(); ++i) {
    tell(models_[line_[i].value], static_cast<int>(i) + 1);
  }
  for (const ModelId id : resident_) {
    if (!models_[id.value].line_number) {
      tell(models_[id.value], 0);
    }
  }
}

// An expectation, not a promise: loads ahead, what the victims still run, the own load, the own
// queue up to the ticket at `place`.
std::optional<Duration> Scheduler::eta_of(const Model& model, int place, const Spot& spot) const {
  const double rounds = std::ceil(std::max(1, place) / static_cast<double>(model.slots())) - 1;
  const double seconds = rounds * model.mean_answer_s;
  if (model.state == State::Loading) {
    const Duration done = now_ - model.state_since;
    return duration_of_seconds(seconds) + std::max(Duration::zero(), model.spec.reload - done);
  }
  if (model.open()) {
    return duration_of_seconds(seconds + model.mean_answer_s / model.slots());
  }
  if (pressure_.level() != PressureLevel::Normal) {
    return std::nullopt;  // nobody knows when it eases
  }
  return duration_of_seconds(seconds + spot.loaded_in_s);
}

// What those in use will still hold, and for how long.
Outlook Scheduler::outlook() const {
  Footprint soon = ledger_.free() + ledger_.leaving();
  for (const ModelId id : resident_) {
    if (is_idle(models_[id.value])) {
      soon += models_[id.value].reserved + models_[id.value].debt;
    }
  }
  Outlook outlook(soon);
  for (const ModelId id : resident_) {
    const Model& model = models_[id.value];
    if (model.leases.empty()) {
      continue;
    }
    if (model.state == State::Gated) {
      outlook.add_gated(model.mean_answer_s);
    } else {
      const Duration left = std::max(Duration::zero(), model.ready_since + turn_of(model) - now_);
      outlook.add_open(seconds_of(left), model.mean_answer_s);
    }
  }
  return outlook;
}

// The first `count` of the line, in one pass. One after the other: each is loaded after those in
// front of it, and not before its victims went.
std::vector<Scheduler::Spot> Scheduler::spots(std::size_t count) const {
  const Outlook holders = outlook();
  Spot spot;
  spot.urgent = urgent();
  std::vector<Spot> spots;
  spots.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const Model& model = models_[line_[i].value];
    const Duration patience_left =
        std::max(Duration::zero(), model.queue.oldest() + limits_.patience - now_);
    const double free_in_s = holders.free_in_s(model.spec.footprint, seconds_of(patience_left));
    spot.loaded_in_s = std::max(spot.loaded_in_s, free_in_s) + seconds_of(model.spec.reload);
    ++spot.position;
    spots.push_back(spot);
  }
  return spots;
}

Scheduler::Spot Scheduler::spot_of(const Model& model) const {
  const auto position = static_cast<std::size_t>(line_position(model));
  return position == 0 ? Spot{} : spots(position).back();
}

// When a refused client should come back: the time until about half of the queue has been served.
Duration Scheduler::retry_after(const Model& model) const {
  const double half = model.queue.live() / 2.0 / model.slots() * model.mean_answer_s;
  return std::clamp(duration_of_seconds(std::ceil(half)), Duration(std::chrono::seconds(1)),
                    Duration(std::chrono::seconds(300)));
}

// While pressure lasts the clocks of deadlines stand still; the pause is added when it ends.
Duration Scheduler::pause_of(const WaitingTicket& ticket) const {
  const bool paused = pressure_.level() != PressureLevel::Normal;
  return paused ? now_ - std::max(pressure_since_, ticket.asked) : Duration::zero();
}

TicketView Scheduler::ticket_view(const Model& model, const WaitingTicket& ticket, int place,
                                  const Spot& spot) const {
  TicketView v;
  v.ticket = ticket.id;
  v.model = model.id;
  v.user = ticket.user;
  v.waited = now_ - ticket.asked;
  v.position = spot.position;
  v.place = place;
  v.eta = eta_of(model, place, spot);
  if (ticket.deadline) {
    v.bound = std::max(Duration::zero(), *ticket.deadline + pause_of(ticket) - now_);
    v.terms = ticket.terms;
  }
  if (v.eta && v.bound) {
    v.eta = std::min(*v.eta, *v.bound);
  }
  return v;
}

std::vector<TicketView> Scheduler::tickets_of(ModelId id) const {
  std::vector<TicketView> views;
  const Model* model = find(id);
  if (model == nullptr || model->queue.live() == 0) {
    return views;
  }
  const Spot spot = spot_of(*model);
  for (const WaitingTicket& ticket : model->queue.tickets()) {
    if (ticket.live()) {
      views.push_back(ticket_view(*model, ticket, static_cast<int>(views.size()) + 1, spot));
    }
  }
  return views;
}

std::optional<TicketView> Scheduler::waiting_ticket(TicketId id) const {
  const auto at = places_.find(id);
  if (at == places_.end() || at->second.leased) {
    return std::nullopt;
  }
  const Model& model = models_[at->second.model.value];
  int place = 0;
  for (const WaitingTicket& ticket : model.queue.tickets()) {
    place += ticket.live() ? 1 : 0;
    if (ticket.id == id) {
      return ticket_view(model, ticket, place, spot_of(model));
    }
  }
  return std::nullopt;
}

std::optional<TimePoint> Scheduler::deadline_of(TicketId ticket) const {
  const auto place = places_.find(ticket);
  if (place == places_.end() || place->second.leased) {
    return std::nullopt;
  }
  const WaitingTicket* waiting = models_[place->second.model.value].queue.find(ticket);
  return waiting == nullptr ? std::nullopt : waiting->deadline;
}

bool Scheduler::overdue() const {
  const bool clocks_stand = pressure_.level() != PressureLevel::Normal;
  for (const Model& model : models_) {
    if (model.queue.live() >= limits_.max_waiting) {
      return true;
    }
    if (clocks_stand) {
      continue;
    }
    for (const WaitingTicket& ticket : model.queue.tickets()) {
      if (ticket.live() && ticket.deadline && *ticket.deadline < now_) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace hf::core
