#pragma once
// What goes wrong, and what administrators do: draws the next fault by the weights of the plan and
// turns it into the event that the core would see. Single thread, virtual time.

#include <optional>
#include <vector>

#include "core/event.h"
#include "sim/plan.h"
#include "sim/random.h"
#include "sim/timeline.h"
#include "sim/world.h"

namespace hf::sim {

class Faults {
 public:
  Faults(const Plan& plan, std::uint64_t seed, Timeline& timeline, World& world);

  void start(TimePoint now);
  // The next fault; nullopt: it would have had nothing to strike.
  std::optional<core::Event> happen(TimePoint now);
  // No more faults. The events returned take back what would keep people waiting for ever.
  std::vector<core::Event> calm_down();

 private:
  std::optional<core::Event> crash(ModelId model);
  core::Event reading();
  core::Event tune(ModelId model);
  core::Event replace(ModelId model);
  core::Event pin(ModelId model);
  core::Event budget();
  core::Event settings();
  std::optional<core::Event> measure(ModelId model, bool beyond);
  core::Event stale_news(ModelId model);
  std::uint64_t next_command() { return ++command_; }

  const Plan& plan_;
  Random random_;
  Timeline& timeline_;
  World& world_;
  double used_percent_ = 50;
  bool stalled_ = false;
  std::uint64_t command_ = 0;
  ModelId crashed_{};  // the latest
  bool calm_ = false;
};

}  // namespace hf::sim
