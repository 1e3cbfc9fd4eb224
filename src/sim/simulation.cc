#include "sim/simulation.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <type_traits>

#include "base/assert.h"
#include "sim/checker.h"
#include "sim/clients.h"
#include "sim/faults.h"
#include "sim/plan.h"
#include "sim/recorder.h"
#include "sim/rule_watch.h"
#include "sim/timeline.h"
#include "sim/world.h"

namespace hf::sim {
namespace {

constexpr std::uint64_t kRunStream = 5;
// A wake that nobody planned, before an event: must change nothing, or next_deadline() was too
// late.
constexpr double kIdleWakes = 0.1;
// The liveness phase ends by then, however long the queues were.
constexpr Duration kLongestCalm = std::chrono::hours(72);
constexpr std::uint64_t kMostCalmEvents = 400000;

class Run {
 public:
  explicit Run(const Options& options);
  Outcome finish();
  void print_report() const { std::fputs(report("assertion failed").c_str(), stderr); }

 private:
  void start();
  void safety_phase();
  void liveness_phase();
  void shutdown_phase();
  bool step(TimePoint until);  // false: nothing happens before `until`
  void deliver(const core::Event& event);
  void idle_wake();
  void perform(const core::Action& action);
  [[nodiscard]] std::string report(const std::string& violation) const;
  [[nodiscard]] bool broken() const { return checker_.violation().has_value(); }

  Options options_;
  Plan plan_;
  Random random_;
  Timeline timeline_;
  core::Scheduler scheduler_;
  World world_;
  Clients clients_;
  Faults faults_;
  Checker checker_;
  Recorder recorder_;
  RuleWatch watch_;
  TimePoint now_{};
  std::uint64_t events_ = 0;
};

thread_local const Run* t_run = nullptr;  // for the report of a failed assertion

bool hook_asserts() {
  set_assert_hook([] {
    if (t_run != nullptr) {
      t_run->print_report();
    }
  });
  return true;
}

Run::Run(const Options& options)
    : options_(options),
      plan_(draw_plan(options.seed)),
      random_(options.seed, kRunStream),
      scheduler_(plan_.limits),
      world_(plan_, options.seed, timeline_),
      clients_(plan_, options.seed, timeline_),
      faults_(plan_, options.seed, timeline_, world_),
      checker_(plan_),
      recorder_(options.trace),
      watch_(plan_.models.size()) {
  scheduler_.set_mutant_for_test(options.mutant);
  t_run = this;
  static const bool hooked = hook_asserts();
  HF_ASSERT(hooked, "once a process");
}

Outcome Run::finish() {
  start();
  safety_phase();
  if (!broken() && plan_.quits) {
    shutdown_phase();
  } else if (!broken()) {
    liveness_phase();
  }
  t_run = nullptr;
  Outcome outcome;
  outcome.seed = options_.seed;
  outcome.ok = !broken();
  if (broken()) {
    outcome.violation = *checker_.violation();
    outcome.report = report(outcome.violation);
  }
  outcome.events = events_;
  outcome.virtual_time = now_.time_since_epoch();
  outcome.hash = recorder_.hash();
  outcome.bound_checked = plan_.bound_checked;
  outcome.counters = checker_.counters();
  watch_.add(checker_.counters());
  outcome.coverage = watch_.coverage();
  return outcome;
}

void Run::start() {
  for (std::uint32_t i = 0; i < plan_.models.size() && !broken(); ++i) {
    core::event::ModelAdded added;
    added.model = ModelId(i);
    added.spec = plan_.models[i].spec;
    deliver(added);
  }
  clients_.start(now_);
  faults_.start(now_);
}

void Run::safety_phase() {
  while (!broken() && events_ < options_.events && step(TimePoint::max())) {
  }
}

void Run::liveness_phase() {
  clients_.calm_down(now_);
  world_.calm_down();
  for (const core::Event& event : faults_.calm_down()) {
    if (!broken()) {
      deliver(event);
    }
  }
  const TimePoint until = now_ + kLongestCalm;
  const std::uint64_t last_event = events_ + kMostCalmEvents;
  while (!broken() && !checker_.at_rest() && events_ < last_event && step(until)) {
  }
  if (!broken()) {
    checker_.check_rest(scheduler_, false);
  }
}

void Run::shutdown_phase() {
  deliver(core::event::Shutdown{});
  if (!broken() && random_.chance(0.2)) {
    deliver(core::event::Shutdown{});  // impatient
  }
  const TimePoint until = now_ + kLongestCalm;
  const std::uint64_t last_event = events_ + kMostCalmEvents;
  while (!broken() && !checker_.finished() && events_ < last_event && step(until)) {
  }
  if (!broken()) {
    checker_.check_rest(scheduler_, true);
  }
}

bool Run::step(TimePoint until) {
  const auto deadline = scheduler_.next_deadline();
  if (timeline_.empty() && !deadline) {
    return false;
  }
  const bool wake = timeline_.empty() || (deadline && *deadline <= timeline_.next_time());
  const TimePoint at = wake ? *deadline : timeline_.next_time();
  if (at > until) {
    return false;
  }
  now_ = std::max(now_, at);
  if (wake) {
    deliver(core::event::Wake{});
    return true;
  }
  const Happening happening = timeline_.take();
  if (random_.chance(kIdleWakes)) {
    idle_wake();
    if (broken()) {
      return true;
    }
  }
  std::optional<core::Event> event;
  if (happening.what == What::Fault) {
    event = faults_.happen(now_);
  } else if (happening.what == What::Loaded || happening.what == What::Exit) {
    event = world_.happen(happening);
  } else {
    event = clients_.happen(happening, now_);
  }
  if (event) {
    deliver(*event);
  }
  return true;
}

void Run::idle_wake() {
  const std::uint64_t before = recorder_.actions();
  deliver(core::event::Wake{});
  if (recorder_.actions() != before) {
    checker_.fail("nothing is decided between events without next_deadline() saying so");
  }
}

void Run::deliver(const core::Event& event) {
  ++events_;
  recorder_.note(event, now_);
  checker_.before(event, now_);
  watch_.before(event, scheduler_, now_);
  scheduler_.handle(event, now_);
  while (const auto action = scheduler_.poll_action()) {
    recorder_.note(*action, now_);
    watch_.note(*action, scheduler_);
    checker_.check(*action);
    perform(*action);
  }
  scheduler_.tell_time(
      now_);  // somebody looks at every moment: deadlines come as close as they can
  watch_.after(event, scheduler_);
  if (!broken()) {
    checker_.after(scheduler_);
  }
}

void Run::perform(const core::Action& action) {
  std::visit(
      [this](const auto& a) {
        using Kind = std::decay_t<decltype(a)>;
        if constexpr (std::is_same_v<Kind, core::action::StartLoad> ||
                      std::is_same_v<Kind, core::action::StopChild>) {
          world_.perform(a, now_);
        } else if constexpr (std::is_same_v<Kind, core::action::Grant> ||
                             std::is_same_v<Kind, core::action::Refuse> ||
                             std::is_same_v<Kind, core::action::CutLease>) {
          clients_.told(a, now_);
        }
      },
      action);
}

std::string Run::report(const std::string& violation) const {
  return "seed " + std::to_string(options_.seed) + ", event " + std::to_string(events_) + ": " +
         violation + "\nthe last events and actions:\n" + recorder_.last_lines();
}

}  // namespace

Outcome run_seed(const Options& options) {
  Run run(options);
  return run.finish();
}

}  // namespace hf::sim
