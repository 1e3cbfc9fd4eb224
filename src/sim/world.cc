#include "sim/world.h"

#include <algorithm>

namespace hf::sim {
namespace {

using core::LoadFailure;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kWorldStream = 2;
constexpr int kLoadSucceeds = -1;  // else the LoadFailure

}  // namespace

World::World(const Plan& plan, std::uint64_t seed, Timeline& timeline)
    : plan_(plan),
      random_(seed, kWorldStream),
      timeline_(timeline),
      children_(plan.models.size()) {}

void World::perform(const core::action::StartLoad& action, TimePoint now) {
  Child& child = children_[action.model.value];
  child.phase = Phase::Loading;
  child.generation = action.generation;
  child.reserved = action.reserved;
  child.was_ready = false;
  const ModelPlan& model = plan_.models[action.model.value];
  Happening loaded{.what = What::Loaded, .model = action.model, .generation = action.generation};
  loaded.detail = kLoadSucceeds;
  if (!calm_ && random_.chance(plan_.load_fails)) {
    const bool oom = random_.chance(plan_.fails_by_oom);
    constexpr int kKinds = static_cast<int>(LoadFailure::Broken) + 1;
    loaded.detail =
        oom ? static_cast<int>(LoadFailure::OutOfMemory) : static_cast<int>(random_.below(kKinds));
  }
  timeline_.add(now + random_.duration(model.load_min, model.load_max), loaded);
}

void World::perform(const core::action::StopChild& action, TimePoint now) {
  Child& child = children_[action.model.value];
  child.phase = Phase::Stopping;
  const Duration deadline = plan_.limits.stop_deadline;
  Duration takes = random_.duration(milliseconds(5), milliseconds(310));
  if (action.kill) {
    takes = random_.duration(milliseconds(1), milliseconds(20));
  } else if (!calm_ && random_.chance(plan_.slow_stop)) {
    takes = random_.duration(deadline / 2, plan_.bound_checked ? deadline : 2 * deadline);
  }
  timeline_.add(now + takes,
                {.what = What::Exit, .model = action.model, .generation = action.generation});
}

std::optional<core::Event> World::happen(const Happening& happening) {
  Child& child = children_[happening.model.value];
  if (child.generation != happening.generation || child.phase == Phase::None) {
    return std::nullopt;
  }
  if (happening.what == What::Exit) {
    child.phase = Phase::None;
    if (!child.was_ready && random_.chance(0.5)) {  // the shell may call it a failed load
      return core::event::LoadFailed{happening.model, happening.generation, LoadFailure::Crashed};
    }
    return core::event::Exited{happening.model, happening.generation};
  }
  if (child.phase == Phase::Stopping) {
    if (random_.chance(0.5)) {  // it was ready a moment before the signal: late news
      return core::event::LoadReady{happening.model, happening.generation};
    }
    return std::nullopt;
  }
  if (child.phase != Phase::Loading) {
    return std::nullopt;
  }
  if (happening.detail == kLoadSucceeds || calm_) {
    child.phase = Phase::Ready;
    child.was_ready = true;
    return core::event::LoadReady{happening.model, happening.generation};
  }
  child.phase = Phase::None;
  return core::event::LoadFailed{happening.model, happening.generation,
                                 static_cast<LoadFailure>(happening.detail)};
}

std::optional<core::Event> World::crash(ModelId model) {
  Child& child = children_[model.value];
  if (child.phase == Phase::None) {
    return std::nullopt;
  }
  const bool loading = child.phase == Phase::Loading;
  child.phase = Phase::None;
  if (loading) {
    return core::event::LoadFailed{model, child.generation, LoadFailure::Crashed};
  }
  return core::event::Exited{model, child.generation};
}

}  // namespace hf::sim
