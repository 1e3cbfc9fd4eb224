#pragma once
// Recognises situations of the rules from events, actions and views, so that coverage can say that
// a simulation came to them. Why not counters inside the core: what cannot be seen from outside
// makes no difference to anybody. Single thread.

#include <map>
#include <utility>
#include <vector>

#include "core/scheduler.h"
#include "sim/coverage.h"

namespace hf::sim {

class RuleWatch {
 public:
  explicit RuleWatch(std::size_t models) : out_of_memory_(models), priority_(models) {}

  // For each event: before() it is handled, note() for each action, after() them.
  void before(const core::Event& event, const core::Scheduler& scheduler, TimePoint now);
  void note(const core::Action& action, const core::Scheduler& scheduler);
  void after(const core::Event& event, const core::Scheduler& scheduler);
  // What the checker counted belongs to it as well.
  void add(const Counters& counters);

  [[nodiscard]] const Coverage& coverage() const { return coverage_; }

 private:
  using Who = std::pair<ModelId, UserId>;

  void on(const core::action::StopChild& a);
  void on(const core::action::StartLoad& a, const core::Scheduler& scheduler);
  void on(const core::action::GateMoved& a);

  Coverage coverage_;
  TimePoint now_{};
  core::Limits limits_;              // before the event
  std::optional<ModelId> owner_;     // before the event
  std::optional<ModelId> reaped_;    // by the event
  bool shut_for_owner_ = false;      // a gate, by the event
  std::vector<bool> out_of_memory_;  // its latest load; the second attempt is to come
  std::vector<int> priority_;
  std::map<Who, TimePoint> departed_;  // who left while waiting, and when
};

}  // namespace hf::sim
