#pragma once
// The virtual machine: children that load, fail, grow, crash and take their time to die. Stands
// where the process folder stands in the server, and answers the core's actions with the events
// that the real one would send. Single thread, virtual time.

#include <optional>
#include <vector>

#include "core/action.h"
#include "core/event.h"
#include "sim/plan.h"
#include "sim/random.h"
#include "sim/timeline.h"

namespace hf::sim {

enum class Phase { None, Loading, Ready, Stopping };

struct Child {
  Phase phase = Phase::None;
  Generation generation;
  core::Footprint reserved;
  bool was_ready = false;
};

class World {
 public:
  World(const Plan& plan, std::uint64_t seed, Timeline& timeline);

  void perform(const core::action::StartLoad& action, TimePoint now);
  void perform(const core::action::StopChild& action, TimePoint now);
  // What a happening of this world means by now; nullopt: nothing any more.
  std::optional<core::Event> happen(const Happening& happening);
  // The child dies of itself; nullopt: there is none.
  std::optional<core::Event> crash(ModelId model);
  // From now on loads succeed and stops are quick.
  void calm_down() { calm_ = true; }

  [[nodiscard]] const Child& child(ModelId model) const { return children_[model.value]; }

 private:
  const Plan& plan_;
  Random random_;
  Timeline& timeline_;
  std::vector<Child> children_;
  bool calm_ = false;
};

}  // namespace hf::sim
