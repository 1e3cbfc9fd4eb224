#pragma once
// Recognises situations of the rules from events, actions and views, so that coverage can say that
// a simulation came to them. Why not counters inside the core: what cannot be seen from outside
// makes no difference to anybody. Single thread.

#include <optional>
#include <vector>

#include "core/scheduler.h"
#include "sim/coverage.h"

namespace hf::sim {

class RuleWatch {
 public:
  explicit RuleWatch(std::size_t models) : made_room_(models), priority_(models) {}

  // For each event: before() it is handled, note() for each action, after() them.
  void before(const core::Event& event, const core::Scheduler& scheduler, TimePoint now);
  void note(const core::Action& action, const core::Scheduler& scheduler);
  void after(const core::Event& event, const core::Scheduler& scheduler);
  // What the checker counted belongs to it as well.
  void add(const Counters& counters);

  [[nodiscard]] const Coverage& coverage() const { return coverage_; }

 private:
  void on(const core::action::StopChild& a);
  void on(const core::action::StartLoad& a, const core::Scheduler& scheduler);
  void on(const core::action::GateMoved& a);
  static std::optional<TimePoint> oldest_for(ModelId model, const core::Scheduler& scheduler);

  Coverage coverage_;
  TimePoint now_{};
  core::Limits limits_;              // before the event
  std::optional<ModelId> owner_;     // before the event
  std::optional<ModelId> reaped_;    // by the event
  bool shut_for_owner_ = false;      // a gate, by the event
  std::optional<TimePoint> oldest_;  // arrival of whoever waits longest for the model asked for
  core::PressureLevel level_ = core::PressureLevel::Normal;  // before the event
  bool reading_ = false;                                     // the event is one
  bool stalled_ = false;                                     // the latest reading told of a stall
  TimePoint stall_began_{};
  bool given_up_ = false;        // the latest stall
  std::vector<bool> made_room_;  // somebody was stopped for it since its latest load failed
  std::vector<int> priority_;
};

}  // namespace hf::sim
