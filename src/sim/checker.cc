// The books: what events mean, and what must be true between events.
#include "sim/checker.h"

#include <algorithm>
#include <utility>

namespace hf::sim {
namespace {

// Waking again and again without doing anything is a loop, not patience.
constexpr std::uint64_t kWakesInVain = 1000;
// The slower comparisons are made on every so many events.
constexpr std::uint64_t kSample = 32;

}  // namespace

Checker::Checker(const Plan& plan)
    : plan_(plan),
      models_(plan.models.size()),
      budget_(plan.limits.budget),
      shortest_(plan.limits),
      longest_(plan.limits) {}

void Checker::fail(std::string violation) {
  if (!violation_) {
    violation_ = std::move(violation);
  }
}

Checker::Truth* Checker::find(ModelId id) {
  return id.value < models_.size() && models_[id.value].known ? &models_[id.value] : nullptr;
}

Checker::Ticket* Checker::find(TicketId id) {
  return id.value < tickets_.size() ? &tickets_[id.value] : nullptr;
}

void Checker::before(const core::Event& event, TimePoint now) {
  now_ = now;
  ++events_;
  arrived_.reset();
  command_.reset();
  exited_.reset();
  acted_ = false;
  deadlines_moved_ = false;
  if (stalled_until_ && *stalled_until_ <= now_) {
    postpone_deadlines();
    if (stall_counts()) {
      stall_ceases_to_count();
    }
    stalled_until_.reset();
    stalled_ = false;
    stall_given_up_ = false;
    stall_is_hopeless_ = false;
    gone_in_vain_given_up_ = 0;
  }
  std::visit([this](const auto& e) { on(e); }, event);
}

void Checker::on(const core::event::ModelAdded& e) {
  Truth& model = models_[e.model.value];
  model.known = true;
  model.listed = true;
  model.broken = false;
  model.estimate = e.spec.footprint;
  model.slots = e.spec.slots;
  model.to_go = model.to_go || (e.restart && model.phase == Phase::Loading);
  tune_reload(model, e.spec.reload);
  tune_answer(model, e.spec.longest_answer);
}

void Checker::on(const core::event::ModelBroken& e) {
  if (Truth* model = find(e.model)) {
    model->broken = true;
  }
}

void Checker::on(const core::event::ModelRemoved& e) {
  if (Truth* model = find(e.model)) {
    model->listed = false;
    model->pinned = false;
  }
}

void Checker::on(const core::event::SpecTuned& e) {
  if (Truth* model = find(e.model)) {
    model->estimate = e.footprint.value_or(model->estimate);
    tune_reload(*model, e.reload.value_or(model->reload_after));
    tune_answer(*model, e.longest_answer);
  }
}

// A longer turn counts only once nobody waits who was told a deadline by the shorter one.
void Checker::tune_reload(Truth& model, Duration reload) {
  model.reload = std::min(model.reload, reload);
  model.reload_after = reload;
}

void Checker::tune_answer(Truth& model, std::optional<Duration> longest) {
  if (longest) {
    model.answer = std::min(model.answer.value_or(*longest), *longest);
  }
}

void Checker::on(const core::event::Arrived& e) {
  if (e.ticket.value >= tickets_.size()) {
    tickets_.resize(e.ticket.value + 1);
  }
  Ticket& ticket = tickets_[e.ticket.value];
  ticket.model = e.model;
  ticket.user = e.user;
  ticket.kind = e.kind;
  ticket.stage = Stage::Waiting;
  ticket.arrived = now_;
  arrived_ = e.ticket;
  waiting_.push_back(e.ticket);
  ++models_[e.model.value].waiting;
}

void Checker::on(const core::event::Ended& e) {
  Ticket* ticket = find(e.ticket);
  if (ticket == nullptr) {
    return;
  }
  Truth& model = models_[ticket->model.value];
  if (ticket->stage == Stage::Waiting) {
    --model.waiting;
    last_departure_ = now_;
  } else if (ticket->stage == Stage::Leased) {
    --model.leases;
  }
  ticket->stage = Stage::Over;
  ticket->departed = true;
}

void Checker::on(const core::event::OpenEnded& e) {
  if (Ticket* ticket = find(e.ticket)) {
    ticket->open_ended = true;
  }
}

void Checker::on(const core::event::ReaderStalled& e) {
  Ticket* ticket = find(e.ticket);
  if (ticket != nullptr && ticket->stage == Stage::Leased && !ticket->stalled) {
    ticket->stalled = now_;
  }
}

void Checker::on(const core::event::ReaderResumed& e) {
  if (Ticket* ticket = find(e.ticket)) {
    ticket->stalled.reset();
  }
}

void Checker::on(const core::event::LoadReady& e) {
  Truth* model = find(e.model);
  if (model != nullptr && model->generation == e.generation && model->phase == Phase::Loading) {
    model->phase = Phase::Ready;
    model->ready = now_;
    model->gated = false;
  }
}

void Checker::on(const core::event::LoadFailed& e) {
  Truth* model = find(e.model);
  if (model == nullptr || model->generation != e.generation || model->phase == Phase::None) {
    return;
  }
  if (model->phase == Phase::Loading) {
    ++counters_.failed_loads;
    model->failed = now_;
    model->failed_by_event = events_;
    model->retry_due = e.failure == core::LoadFailure::OutOfMemory && !model->second_attempt &&
                       !model->to_go && !drain_until_;
    if (e.failure == core::LoadFailure::OutOfMemory) {
      // A quarter more, but never more than could be given.
      const core::Footprint most = room_for(*model);
      for (std::size_t d = 0; d < core::kDomains; ++d) {
        Bytes& bytes = model->estimate.in[d];
        const Bytes more = bytes + Bytes(bytes.count / 4);
        bytes = std::max(bytes, std::min(more, most.in[d]));
      }
    }
  }
  reap(*model);
}

void Checker::on(const core::event::Exited& e) {
  Truth* model = find(e.model);
  if (model == nullptr || model->generation != e.generation || model->phase == Phase::None) {
    return;
  }
  if (model->phase != Phase::Stopping) {
    ++counters_.crashes;
    model->failed = now_;
    model->failed_by_event = events_;
    model->retry_due = false;
  }
  exited_ = e.model;
  reap(*model);
}

void Checker::reap(Truth& model) {
  if (pressed_out_ && &models_[pressed_out_->model.value] == &model &&
      pressed_out_->generation == model.generation) {
    pressed_out_->reaped = now_;
  }
  model.phase = Phase::None;
  model.gated = false;
  model.reserved = core::Footprint{};
  model.measured = core::Footprint{};
  model.debt = core::Footprint{};
}

void Checker::on(const core::event::Measured& e) {
  Truth* model = find(e.model);
  const bool alive = model != nullptr && model->generation == e.generation &&
                     (model->phase == Phase::Loading || model->phase == Phase::Ready);
  if (!alive) {
    return;
  }
  for (std::size_t d = 0; d < core::kDomains; ++d) {
    model->measured.in[d] = std::max(model->measured.in[d], e.in_use.in[d]);
    model->debt.in[d] = std::max(Bytes(0), model->measured.in[d] - model->reserved.in[d]);
  }
}

void Checker::on(const core::event::MemoryReading& e) {
  postpone_deadlines();
  used_percent_ = e.used_percent;
  if (e.used_percent >= plan_.limits.high) {
    above_marks_ = true;
  } else if (e.used_percent < plan_.limits.low) {
    above_marks_ = false;
  }
  const bool has_loaded = load_end_ && now_ < *load_end_ + core::kStallSettles;
  stalled_ = e.stalled && loads_ == 0 && !has_loaded;
  judge_pressed_out();
  if (stalled_) {
    renew_stall();
  }
}

void Checker::on(const core::event::Cleanup& e) {
  command_.emplace();
  command_->id = e.command;
}

void Checker::on(const core::event::Unload& e) {
  command_.emplace();
  command_->id = e.command;
  command_->model = e.model;
  command_->unpin = true;
  command_->forced = e.mode == core::UnloadMode::Force;
  Truth* const model = find(e.model);
  if (model != nullptr && e.mode == core::UnloadMode::Drain) {
    model->to_go = model->to_go || model->phase == Phase::Loading;
  }
}

void Checker::on(const core::event::Pin& e) {
  command_.emplace();
  command_->id = e.command;
  command_->model = e.model;
  command_->pin = e.pinned;
  command_->unpin = !e.pinned;
}

void Checker::on(const core::event::LimitsChanged& e) {
  budget_ = e.limits.budget;
  shortest_.patience = std::min(shortest_.patience, e.limits.patience);
  longest_.patience = std::max(longest_.patience, e.limits.patience);
  if (shortest_.turn) {
    shortest_.turn = std::min(*shortest_.turn, e.limits.turn.value_or(Duration::zero()));
  }
  if (shortest_.request_limit) {
    const Duration limit = e.limits.request_limit.value_or(*shortest_.request_limit);
    shortest_.request_limit = std::min(*shortest_.request_limit, limit);
  }
}

void Checker::on(const core::event::Preload& e) {
  if (Truth* model = find(e.model)) {
    model->wanted = true;
  }
}

void Checker::on(const core::event::Shutdown&) {
  drain_until_ = drain_until_ ? now_ : now_ + plan_.limits.drain;
}

void Checker::on(const core::event::Wake&) {
  ++wakes_in_vain_;
}

void Checker::check(const core::Action& action) {
  acted_ = true;
  wakes_in_vain_ = 0;
  std::visit([this](const auto& a) { judge(a); }, action);
}

void Checker::after(const core::Scheduler& scheduler) {
  scheduler.check_invariants();
  const auto loads = std::count_if(models_.begin(), models_.end(),
                                   [](const Truth& m) { return m.phase == Phase::Loading; });
  load_end_ = loads < loads_ ? std::optional(now_) : load_end_;
  loads_ = loads;
  expect(!command_ || command_->answered, "every command is answered at once");
  const auto deadline = scheduler.next_deadline();
  expect(!deadline || *deadline > now_, "next_deadline() lies ahead");
  expect(wakes_in_vain_ < kWakesInVain, "waking leads somewhere");
  expect((scheduler.memory().level != core::PressureLevel::Normal) == stressed(),
         "pressure lasts from the high mark to the low one, and 30 s after each stall");
  expect(!stall_counts() || now_ < stalled_since_ + core::kLongestStall,
         "no stall counts for longer than a minute");
  expect(!stall_counts() || !stall_allowance_is_spent(),
         "stalls count for a sixth of the time in the long run");
  if (plan_.bound_checked) {
    follow_deadlines(scheduler);
  }
  if (std::all_of(models_.begin(), models_.end(), [](const Truth& m) { return m.waiting == 0; })) {
    for (Truth& model : models_) {
      model.reload = model.reload_after;
    }
  }
  for (const Truth& model : models_) {
    expect(model.leases == 0 || model.phase == Phase::Ready, "a lease is on a living child");
    const bool open = model.phase == Phase::Ready && !model.gated;
    expect(!open || model.waiting == 0 || model.leases >= model.child_slots,
           "nobody waits for a model with a free slot");
  }
  if (events_ % kSample == 0) {
    std::erase_if(waiting_,
                  [this](TicketId id) { return tickets_[id.value].stage != Stage::Waiting; });
    check_deadlines();
    check_models(scheduler);
  }
}

void Checker::check_models(const core::Scheduler& scheduler) {
  for (std::uint32_t i = 0; i < scheduler.model_count(); ++i) {
    const core::ModelView view = scheduler.view(ModelId(i));
    const Truth& truth = models_[i];
    expect(view.leases == truth.leases, "the view counts the leases");
    expect(view.waiting == truth.waiting, "the view counts those who wait");
    expect(view.pinned == truth.pinned, "the view knows the pins");
    expect(view.reserved == truth.reserved, "the view knows the reservation");
    expect((view.state == core::State::Loading) == (truth.phase == Phase::Loading),
           "the view knows what loads");
  }
  std::size_t requests = 0;
  for (const core::WaitView& wait : scheduler.waiting()) {
    requests += static_cast<std::size_t>(wait.requests);
  }
  const auto waiting = std::count_if(waiting_.begin(), waiting_.end(), [this](TicketId id) {
    return tickets_[id.value].stage == Stage::Waiting;
  });
  expect(requests == static_cast<std::size_t>(waiting), "waiting() shows everybody who waits");
}

bool Checker::at_rest() const {
  return std::all_of(models_.begin(), models_.end(), [](const Truth& m) {
    const bool still = m.phase == Phase::None || (m.phase == Phase::Ready && !m.gated);
    return still && m.leases == 0 && m.waiting == 0;
  });
}

void Checker::check_rest(const core::Scheduler& scheduler, bool quitting) {
  for (const Truth& model : models_) {
    expect(model.waiting == 0, "everybody who waited is granted or refused in the end");
    expect(model.leases == 0, "every lease ends in the end");
    expect(model.phase != Phase::Loading && model.phase != Phase::Stopping, "loads and stops end");
    expect(!model.gated, "no gate stays shut without a need");
    expect(!quitting || model.phase == Phase::None, "after a shutdown no child is left");
  }
  expect(!quitting || finished_, "a shutdown finishes");
  expect(!scheduler.owner(), "nobody owns gates when nobody waits");
  check_models(scheduler);
}

bool Checker::somebody_waits() const {
  const bool live =
      std::any_of(models_.begin(), models_.end(), [](const Truth& m) { return m.waiting > 0; });
  return live || (last_departure_ && now_ - *last_departure_ < plan_.limits.placeholder);
}

bool Checker::wants_memory(const Truth& model) const {
  const bool served =
      model.phase == Phase::Loading || (model.phase == Phase::Ready && !model.gated);
  return model.waiting > 0 && !served;
}

// Somebody in the line has waited for the whole patience. Misses the age that a returning client
// takes over, so it may say no where the core rightly says yes.
bool Checker::out_of_patience(Duration patience) const {
  return std::any_of(waiting_.begin(), waiting_.end(), [this, patience](TicketId id) {
    const Ticket& ticket = tickets_[id.value];
    return ticket.stage == Stage::Waiting && ticket.arrived + patience <= now_ &&
           wants_memory(models_[ticket.model.value]);
  });
}

bool Checker::has_most_waiting(const Ticket& ticket, bool alone) const {
  std::vector<int> counts(static_cast<std::size_t>(plan_.users), 0);
  for (const TicketId id : waiting_) {
    const Ticket& other = tickets_[id.value];
    if (other.stage == Stage::Waiting && other.model == ticket.model) {
      ++counts[other.user.value];
    }
  }
  const int own = std::exchange(counts[ticket.user.value], 0);
  const int most = *std::max_element(counts.begin(), counts.end());  // of the others
  return alone == (most > 0 && own > most) && own >= most;
}

core::Footprint Checker::room_for(const Truth& model) const {
  core::Footprint room = budget_;
  for (const Truth& other : models_) {
    if (other.pinned && &other != &model) {
      room -= other.phase == Phase::None ? other.estimate : other.reserved;
    }
  }
  return room;
}

}  // namespace hf::sim
