#include "sim/adversary_run.h"

#include <algorithm>
#include <array>
#include <vector>

#include "sim/adversary_agenda.h"
#include "sim/checker.h"
#include "sim/recorder.h"

namespace hf::sim {
namespace {

namespace event = core::event;
namespace action = core::action;
using std::chrono::seconds;

// A case ends by then: at most 34 requests and their loads need some hundreds of events.
constexpr std::uint64_t kMostEvents = 4000;
constexpr double kCalmPercent = 20;
constexpr double kPressurePercent = 92;

struct Scripted {  // the child of a model
  Phase phase = Phase::None;
  Generation generation{};
  std::size_t loads = 0, stops = 0;
  std::array<int, kAnchors> happened{};
};

enum class Stage : std::uint8_t { Waiting, Leased, Over };
struct Guest {
  std::size_t visit = 0;
  Stage stage = Stage::Waiting;
};

class Trial {
 public:
  Trial(const Case& c, core::Mutant mutant, bool show)
      : case_(c),
        plan_(plan_of(c)),
        limits_(c.limits),
        scheduler_(c.limits),
        checker_(plan_),
        recorder_(show),
        show_(show),
        children_(c.models.size()) {
    scheduler_.set_mutant_for_test(mutant);
  }
  Verdict finish();

 private:
  void start();
  bool step();
  void deliver(const core::Event& event);
  std::optional<core::Event> meaning_of(const Appointment& entry);
  std::optional<core::Event> strike(const Strike& s);
  std::optional<core::Event> loaded(const Appointment& entry);
  core::Event arrive(std::size_t visit, bool came_back);
  std::optional<core::Event> leave(std::size_t ticket);
  void perform(const core::Action& action);
  void told(const action::Grant& a);
  void load(const action::StartLoad& a);
  void stop(const action::StopChild& a);
  void happened(Anchor anchor, ModelId model);
  void add(Duration after, const Appointment& appointment) {
    agenda_.add(now_ + after, appointment);
  }

  const Case& case_;
  Plan plan_;
  core::Limits limits_;  // as last set
  core::Scheduler scheduler_;
  Checker checker_;
  Recorder recorder_;
  bool show_;
  std::vector<Scripted> children_;
  std::vector<Guest> guests_;  // index = ticket id
  Agenda agenda_;
  std::uint64_t events_ = 0;
  int waiting_ = 0;
  int pressures_ = 0;
  TimePoint now_{};
};

Verdict Trial::finish() {
  start();
  while (!checker_.violation() && events_ < kMostEvents && step()) {
  }
  Verdict verdict;
  verdict.worst = checker_.counters().worst_wait;
  verdict.told = checker_.counters().worst_told;
  verdict.violation = checker_.violation().value_or("");
  verdict.waits = checker_.counters().bounds_checked;
  verdict.events = events_;
  return verdict;
}

void Trial::start() {
  for (std::uint32_t i = 0; i < case_.models.size(); ++i) {
    event::ModelAdded added;
    added.model = ModelId(i);
    added.spec = plan_.models[i].spec;
    deliver(added);
    if (case_.models[i].pinned) {
      deliver(event::Pin{i, ModelId(i), true});
    }
  }
  happened(Anchor::Start, ModelId(0));
}

// Everything of the script that waited for this.
void Trial::happened(Anchor anchor, ModelId model) {
  const int nth = ++children_[model.value].happened[static_cast<std::size_t>(anchor)];
  const auto matches = [&](const When& when) {
    const bool start = anchor == Anchor::Start && when.anchor == Anchor::Start;
    return start || (when.anchor == anchor && when.model == model.value && when.nth == nth);
  };
  for (std::size_t i = 0; i < case_.visits.size(); ++i) {
    const Visit& visit = case_.visits[i];
    if (matches(visit.when)) {
      for (int n = 0; n < visit.times; ++n) {
        add(visit.when.delay + n * visit.every, {.step = Step::Visit, .index = i});
      }
    }
  }
  for (std::size_t i = 0; i < case_.strikes.size(); ++i) {
    if (matches(case_.strikes[i].when)) {
      add(case_.strikes[i].when.delay, {.step = Step::Strike, .index = i});
    }
  }
}

bool Trial::step() {
  const auto deadline = scheduler_.next_deadline();
  if (agenda_.empty() && (waiting_ == 0 || !deadline)) {
    if (waiting_ > 0) {
      checker_.fail("nobody waits for ever");
    }
    return false;
  }
  if (agenda_.empty() || (deadline && *deadline <= agenda_.next_time())) {
    now_ = std::max(now_, *deadline);
    deliver(event::Wake{});
    return true;
  }
  now_ = std::max(now_, agenda_.next_time());
  if (const auto happening = meaning_of(agenda_.take())) {
    deliver(*happening);
  }
  return true;
}

std::optional<core::Event> Trial::meaning_of(const Appointment& entry) {
  switch (entry.step) {
    case Step::Visit:
      return arrive(entry.index, false);
    case Step::Return:
      return arrive(entry.index, true);
    case Step::Strike:
      return strike(case_.strikes[entry.index]);
    case Step::PressureOver:
      return --pressures_ == 0 ? std::optional<core::Event>(event::MemoryReading{kCalmPercent})
                               : std::nullopt;
    case Step::Loaded:
      return loaded(entry);
    case Step::Reaped: {
      Scripted& child = children_[entry.index];
      if (child.phase != Phase::Stopping || child.generation != entry.generation) {
        return std::nullopt;
      }
      child.phase = Phase::None;
      return event::Exited{ModelId(static_cast<std::uint32_t>(entry.index)), entry.generation};
    }
    case Step::Leave:
      return leave(entry.index);
    case Step::Answered: {
      Guest& guest = guests_[entry.index];
      if (guest.stage != Stage::Leased) {
        return std::nullopt;
      }
      guest.stage = Stage::Over;
      return event::Ended{TicketId(entry.index), core::EndKind::Done};
    }
    case Step::Stall:
      return event::ReaderStalled{TicketId(entry.index)};
  }
  return std::nullopt;
}

std::optional<core::Event> Trial::strike(const Strike& s) {
  const ModelId model(s.model);
  Scripted& child = children_[s.model];
  switch (s.blow) {
    case Blow::Crash:
      if (child.phase != Phase::Ready) {
        return std::nullopt;
      }
      child.phase = Phase::None;
      return event::Exited{model, child.generation};
    case Blow::UnloadIdle:
      return event::Unload{events_, model, core::UnloadMode::IfIdle};
    case Blow::Cleanup:
      return event::Cleanup{events_, core::CleanupLevel::Emergency};
    case Blow::Preload:
      return event::Preload{model};
    case Blow::Drain:
      return event::Unload{events_, model, core::UnloadMode::Drain};
    case Blow::Restart: {
      event::ModelAdded added;
      added.model = model;
      added.spec = plan_.models[s.model].spec;
      added.spec.footprint = scheduler_.view(model).estimate;  // a raised one is not forgotten
      added.restart = true;
      return added;
    }
    case Blow::Pressure:
      ++pressures_;
      add(s.lasts, {.step = Step::PressureOver});
      return event::MemoryReading{kPressurePercent};
    case Blow::Slower: {
      event::SpecTuned tuned;
      tuned.model = model;
      tuned.reload = s.lasts;
      return tuned;
    }
    case Blow::Settings:
      limits_.patience = s.lasts;
      limits_.turn = limits_.turn ? std::optional(s.lasts) : std::nullopt;
      limits_.request_limit = limits_.request_limit ? std::optional(s.lasts) : std::nullopt;
      return event::LimitsChanged{limits_};
  }
  return std::nullopt;
}

std::optional<core::Event> Trial::loaded(const Appointment& entry) {
  const ModelId model(static_cast<std::uint32_t>(entry.index));
  Scripted& child = children_[entry.index];
  if (child.phase != Phase::Loading || child.generation != entry.generation) {
    return std::nullopt;
  }
  child.phase = entry.end == LoadEnd::Ready ? Phase::Ready : Phase::None;
  switch (entry.end) {
    case LoadEnd::Ready:
      return event::LoadReady{model, entry.generation};
    case LoadEnd::Crashed:
      return event::LoadFailed{model, entry.generation, core::LoadFailure::Crashed};
    case LoadEnd::OutOfMemory:
      return event::LoadFailed{model, entry.generation, core::LoadFailure::OutOfMemory};
    case LoadEnd::TimedOut:
      return event::LoadFailed{model, entry.generation, core::LoadFailure::TimedOut};
  }
  return std::nullopt;
}

core::Event Trial::arrive(std::size_t index, bool came_back) {
  const Visit& visit = case_.visits[index];
  const TicketId ticket(guests_.size());
  guests_.push_back({index, Stage::Waiting});
  ++waiting_;
  if (visit.leaves && !came_back) {
    add(*visit.leaves, {.step = Step::Leave, .index = ticket.value});
  }
  return event::Arrived{ticket, ModelId(visit.model), UserId(visit.user),
                        visit.load_only ? core::TicketKind::Load : core::TicketKind::Request};
}

std::optional<core::Event> Trial::leave(std::size_t ticket) {
  Guest& guest = guests_[ticket];
  if (guest.stage == Stage::Over) {
    return std::nullopt;
  }
  waiting_ -= guest.stage == Stage::Waiting ? 1 : 0;
  guest.stage = Stage::Over;
  if (const auto& back = case_.visits[guest.visit].returns) {
    add(*back, {.step = Step::Return, .index = guest.visit});
  }
  return event::Ended{TicketId(ticket), core::EndKind::ClientGone};
}

void Trial::deliver(const core::Event& event) {
  ++events_;
  if (show_) {
    recorder_.note(event, now_);
  }
  checker_.before(event, now_);
  scheduler_.handle(event, now_);
  if (const auto* ready = std::get_if<event::LoadReady>(&event)) {
    happened(Anchor::Ready, ready->model);
  } else if (const auto* exited = std::get_if<event::Exited>(&event)) {
    happened(Anchor::Reaped, exited->model);
  }
  while (const auto action = scheduler_.poll_action()) {
    if (show_) {
      recorder_.note(*action, now_);
    }
    checker_.check(*action);
    perform(*action);
  }
  scheduler_.tell_time(
      now_);  // somebody looks at every moment: deadlines come as close as they can
  if (!checker_.violation()) {
    checker_.after(scheduler_);
  }
}

void Trial::perform(const core::Action& action) {
  if (const auto* grant = std::get_if<action::Grant>(&action)) {
    told(*grant);
  } else if (const auto* refuse = std::get_if<action::Refuse>(&action)) {
    guests_[refuse->ticket.value].stage = Stage::Over;
    --waiting_;
  } else if (const auto* cut = std::get_if<action::CutLease>(&action)) {
    guests_[cut->ticket.value].stage = Stage::Over;
  } else if (const auto* start = std::get_if<action::StartLoad>(&action)) {
    load(*start);
  } else if (const auto* end = std::get_if<action::StopChild>(&action)) {
    stop(*end);
  } else if (const auto* gate = std::get_if<action::GateMoved>(&action)) {
    if (gate->shut) {
      happened(Anchor::GateShut, gate->model);
    }
  }
}

void Trial::told(const action::Grant& a) {
  Guest& guest = guests_[a.ticket.value];
  --waiting_;
  if (a.kind == core::TicketKind::Load) {
    guest.stage = Stage::Over;
    return;
  }
  guest.stage = Stage::Leased;
  const Visit& visit = case_.visits[guest.visit];
  std::optional<Duration> answer = visit.answer;
  if (!case_.limits.request_limit) {
    answer = std::min(answer.value_or(case_.longest_answer), case_.longest_answer);
  }
  if (answer) {
    add(*answer, {.step = Step::Answered, .index = a.ticket.value});
  }
  if (visit.stalls) {
    add(*visit.stalls, {.step = Step::Stall, .index = a.ticket.value});
  }
}

void Trial::load(const action::StartLoad& a) {
  Scripted& child = children_[a.model.value];
  const ModelGenes& genes = case_.models[a.model.value];
  child.phase = Phase::Loading;
  child.generation = a.generation;
  Attempt attempt;
  if (!genes.attempts.empty()) {
    attempt = genes.attempts[child.loads % genes.attempts.size()];
  }
  ++child.loads;
  auto takes = duration_of_seconds(seconds_of(genes.load_deadline) * attempt.share);
  if (attempt.end == LoadEnd::TimedOut) {
    takes = genes.load_deadline + case_.limits.stop_deadline;
  }
  add(takes, {.step = Step::Loaded,
              .index = a.model.value,
              .generation = a.generation,
              .end = attempt.end});
  happened(Anchor::LoadStarted, a.model);
}

void Trial::stop(const action::StopChild& a) {
  Scripted& child = children_[a.model.value];
  const ModelGenes& genes = case_.models[a.model.value];
  child.phase = Phase::Stopping;
  const double share = genes.stops.empty() ? 1.0 : genes.stops[child.stops % genes.stops.size()];
  ++child.stops;
  add(duration_of_seconds(seconds_of(case_.limits.stop_deadline) * share),
      {.step = Step::Reaped, .index = a.model.value, .generation = a.generation});
}

}  // namespace

Verdict evaluate(const Case& c, core::Mutant mutant, bool show) {
  Trial trial(c, mutant, show);
  return trial.finish();
}

}  // namespace hf::sim
