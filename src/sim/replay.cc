#include "sim/replay.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "base/assert.h"
#include "sim/physics.h"
#include "sim/timeline.h"

namespace hf::sim {
namespace {

// As the server plans: a load that is slower than 50 MB/s after a minute's grace is stuck.
constexpr Duration kLoadGrace = std::chrono::seconds(60);
constexpr double kLeastBytesPerSecond = 50e6;

// What the published bounds count on must be true of this world.
core::Limits limits_of(const Trace& trace, const ReplayOptions& options) {
  core::Limits limits = options.limits;
  if (!options.queue_limit) {
    limits.max_waiting = std::numeric_limits<int>::max();
  }
  limits.users = static_cast<int>(std::max<std::size_t>(1, trace.users));
  limits.stop_deadline = std::max(limits.stop_deadline, options.stop);
  return limits;
}

// Of the box that everybody is replayed on.
std::vector<ReplayModel> models_by_size(const std::vector<Bytes>& sizes) {
  std::vector<ReplayModel> models;
  for (const Bytes size : sizes) {
    ReplayModel model;
    model.footprint = core::Footprint::host(size);
    model.load = load_time(size);
    model.slots = kReplaySlots;
    models.push_back(model);
  }
  return models;
}

class Run {
 public:
  Run(const Trace& trace, const ReplayOptions& options)
      : trace_(trace),
        options_(options),
        models_(options.models.empty() ? models_by_size(options.sizes) : options.models),
        scheduler_(limits_of(trace, options)),
        arrivals_(trace.rows.size()),
        deadlines_(trace.rows.size()),
        ended_(trace.rows.size()),
        followers_(trace.rows.size()) {
    HF_ASSERT(models_.size() == trace.models.size(), "every model has a size");
    scheduler_.set_mutant_for_test(options.mutant);
    for (std::size_t i = 0; i < trace.rows.size(); ++i) {
      if (const auto& after = trace.rows[i].after) {
        HF_ASSERT(*after < i, "a request follows an earlier one");
        followers_[*after].push_back(i);
      }
    }
    result_.requests = trace.rows.size();
    result_.waits.resize(trace.rows.size());
  }

  ReplayResult finish() {
    add_models();
    while (step()) {
    }
    HF_ASSERT(waiting_ == 0, "everybody is served or refused in the end");
    result_.wait = wait_figures(result_.waits);
    return std::move(result_);
  }

 private:
  void add_models();
  bool step();  // false: nothing will happen any more
  void arrive(std::size_t index);
  void end(std::size_t index);
  void restart();
  void leave(TicketId ticket);
  void happen(const Happening& happening);
  void deliver(const core::Event& event);
  void perform_actions();
  void perform(const core::action::Grant& action);
  void perform(const core::action::Refuse& action);
  void perform(const core::action::StartLoad& action);
  void perform(const core::action::StopChild& action);

  // A ticket's number is its row's index plus one.
  [[nodiscard]] static std::size_t row_of(TicketId ticket) { return ticket.value - 1; }
  [[nodiscard]] Duration service_of(const TraceRow& row) const {
    return row.service.value_or(service_time(models_[row.model.value].footprint.total(),
                                             row.prompt_tokens, row.output_tokens));
  }

  const Trace& trace_;
  const ReplayOptions& options_;
  const std::vector<ReplayModel> models_;
  core::Scheduler scheduler_;
  Timeline timeline_;
  std::vector<TimePoint> arrivals_;                  // by row
  std::vector<std::optional<TimePoint>> deadlines_;  // by row, as published at arrival
  std::vector<bool> ended_;                          // by row: answered, cut, refused or gone
  std::vector<std::vector<std::size_t>> followers_;  // by row: who comes after its end
  std::size_t next_row_ = 0;
  std::uint64_t waiting_ = 0;
  TimePoint now_{};
  ReplayResult result_;
};

void Run::add_models() {
  std::vector<Duration> longest(trace_.models.size());
  for (const TraceRow& row : trace_.rows) {
    longest[row.model.value] = std::max(longest[row.model.value], service_of(row));
  }
  for (std::uint32_t i = 0; i < trace_.models.size(); ++i) {
    const ReplayModel& model = models_[i];
    const Bytes size = model.footprint.total();
    HF_ASSERT(size.count > 0, "a model has a byte");
    core::event::ModelAdded added;
    added.model = ModelId(i);
    added.spec.name = trace_.models[i];
    added.spec.footprint = model.footprint;
    added.spec.slots = model.slots;
    added.spec.priority = model.priority;
    added.spec.ttl = model.ttl;
    added.spec.reload = model.load;
    added.spec.load_deadline =
        kLoadGrace + duration_of_seconds(static_cast<double>(size.count) / kLeastBytesPerSecond);
    added.spec.longest_answer = longest[i];
    deliver(added);
  }
  for (std::uint32_t i = 0; i < models_.size(); ++i) {
    if (models_[i].pinned) {
      deliver(core::event::Pin{0, ModelId(i), true});
      deliver(core::event::Preload{ModelId(i)});
    }
  }
  for (const TimePoint at : options_.restarts) {
    Happening restarts;
    restarts.what = What::Fault;
    timeline_.add(at, restarts);
  }
}

// A server that starts has no models: what nobody uses just then goes. Pinned ones stay, because
// nobody waits for those that a server loads when it starts.
void Run::restart() {
  for (std::uint32_t i = 0; i < models_.size(); ++i) {
    if (!models_[i].pinned) {
      deliver(core::event::Unload{0, ModelId(i), core::UnloadMode::IfIdle});
    }
  }
}

bool Run::step() {
  while (next_row_ < trace_.rows.size() && trace_.rows[next_row_].after) {
    ++next_row_;  // comes by the timeline
  }
  const TimePoint arrival =
      next_row_ < trace_.rows.size() ? trace_.rows[next_row_].at : TimePoint::max();
  const TimePoint happening = timeline_.empty() ? TimePoint::max() : timeline_.next_time();
  const TimePoint next = std::min(arrival, happening);
  const auto deadline = scheduler_.next_deadline();
  if (deadline && *deadline <= next && (waiting_ > 0 || next < TimePoint::max())) {
    now_ = *deadline;
    deliver(core::event::Wake{});
    return true;
  }
  if (next == TimePoint::max()) {
    return false;
  }
  now_ = next;
  if (happening <= arrival) {
    happen(timeline_.take());
  } else {
    arrive(next_row_++);
  }
  return true;
}

void Run::arrive(std::size_t index) {
  const TraceRow& row = trace_.rows[index];
  const TicketId ticket(index + 1);
  arrivals_[index] = now_;
  ++waiting_;
  scheduler_.handle(core::event::Arrived{ticket, row.model, row.user, core::TicketKind::Request},
                    now_);
  deadlines_[row_of(ticket)] = scheduler_.deadline_of(ticket);
  perform_actions();
  if (row.patience) {
    Happening leaves;
    leaves.what = What::Leave;
    leaves.ticket = ticket;
    timeline_.add(now_ + *row.patience, leaves);
  }
}

// Only the first end of a row counts: a cut one would have been answered later.
void Run::end(std::size_t index) {
  if (ended_[index]) {
    return;
  }
  ended_[index] = true;
  for (const std::size_t follower : followers_[index]) {
    Happening arrives;
    arrives.what = What::Arrive;
    arrives.ticket = TicketId(follower + 1);
    timeline_.add(now_ + trace_.rows[follower].think, arrives);
  }
}

// Only from its queue: who is served by then stays.
void Run::leave(TicketId ticket) {
  if (scheduler_.waiting_ticket(ticket)) {
    --waiting_;
    ++result_.left;
    end(row_of(ticket));
    deliver(core::event::Ended{ticket, core::EndKind::ClientGone});
  }
}

void Run::happen(const Happening& happening) {
  if (happening.what == What::Loaded) {
    deliver(core::event::LoadReady{happening.model, happening.generation});
  } else if (happening.what == What::Exit) {
    deliver(core::event::Exited{happening.model, happening.generation});
  } else if (happening.what == What::Arrive) {
    arrive(row_of(happening.ticket));
  } else if (happening.what == What::Leave) {
    leave(happening.ticket);
  } else if (happening.what == What::Fault) {
    restart();
  } else {
    end(row_of(happening.ticket));
    deliver(core::event::Ended{happening.ticket, core::EndKind::Done});
  }
}

void Run::deliver(const core::Event& event) {
  scheduler_.handle(event, now_);
  perform_actions();
}

void Run::perform_actions() {
  while (const auto action = scheduler_.poll_action()) {
    std::visit(
        [this](const auto& a) {
          using Kind = std::decay_t<decltype(a)>;
          if constexpr (std::is_same_v<Kind, core::action::CutLease>) {
            ++result_.cut;  // its Ended comes too late and is ignored
            end(row_of(a.ticket));
          } else if constexpr (std::is_same_v<Kind, core::action::Grant> ||
                               std::is_same_v<Kind, core::action::Refuse> ||
                               std::is_same_v<Kind, core::action::StartLoad> ||
                               std::is_same_v<Kind, core::action::StopChild>) {
            perform(a);
          }
        },
        *action);
  }
}

void Run::perform(const core::action::Grant& action) {
  const std::size_t index = row_of(action.ticket);
  const TraceRow& row = trace_.rows[index];
  const TimePoint arrived = arrivals_[index];
  const Duration wait = now_ - arrived;
  --waiting_;
  result_.waits[index] = wait;
  if (const auto deadline = deadlines_[index]) {
    const double part = seconds_of(wait) / seconds_of(*deadline - arrived);
    result_.worst_wait_over_bound = std::max(result_.worst_wait_over_bound, part);
    if (now_ > *deadline) {
      result_.late.push_back(index);
    }
  }
  Happening answered;
  answered.what = What::Answered;
  answered.ticket = action.ticket;
  timeline_.add(now_ + service_of(row), answered);
}

void Run::perform(const core::action::Refuse& action) {
  end(row_of(action.ticket));
  --waiting_;
  ++result_.refused;
}

void Run::perform(const core::action::StartLoad& action) {
  const ReplayModel& model = models_[action.model.value];
  ++result_.loads;
  result_.load_time += model.load;
  result_.bytes_loaded += model.footprint.total();
  Happening loaded;
  loaded.what = What::Loaded;
  loaded.model = action.model;
  loaded.generation = action.generation;
  timeline_.add(now_ + model.load, loaded);
}

void Run::perform(const core::action::StopChild& action) {
  ++result_.evictions;
  Happening reaped;
  reaped.what = What::Exit;
  reaped.model = action.model;
  reaped.generation = action.generation;
  timeline_.add(now_ + models_[action.model.value].stop.value_or(options_.stop), reaped);
}

}  // namespace

WaitFigures wait_figures(const std::vector<std::optional<Duration>>& waits) {
  std::vector<Duration> sorted;
  double sum_s = 0;
  for (const std::optional<Duration>& wait : waits) {
    if (wait) {
      sorted.push_back(*wait);
      sum_s += seconds_of(*wait);
    }
  }
  WaitFigures figures;
  if (sorted.empty()) {
    return figures;
  }
  std::sort(sorted.begin(), sorted.end());
  const auto rank = [&](std::size_t percent) {
    return sorted[(sorted.size() * percent + 99) / 100 - 1];
  };
  figures.mean = duration_of_seconds(sum_s / static_cast<double>(sorted.size()));
  figures.p50 = rank(50);
  figures.p95 = rank(95);
  figures.p99 = rank(99);
  figures.max = sorted.back();
  return figures;
}

ReplayResult replay(const Trace& trace, const ReplayOptions& options) {
  return Run(trace, options).finish();
}

}  // namespace hf::sim
