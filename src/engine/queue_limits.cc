#include "engine/queue_limits.h"

namespace hf::engine {
namespace {

core::VictimPolicy policy_of(config::VictimPolicy policy) {
  switch (policy) {
    case config::VictimPolicy::Holdfast:
      return core::VictimPolicy::Holdfast;
    case config::VictimPolicy::Lru:
      return core::VictimPolicy::Lru;
    case config::VictimPolicy::Lfu:
      return core::VictimPolicy::Lfu;
    case config::VictimPolicy::Gdsf:
      return core::VictimPolicy::Gdsf;
    case config::VictimPolicy::Largest:
      return core::VictimPolicy::Largest;
  }
  return core::VictimPolicy::Holdfast;
}

}  // namespace

core::Limits queue_limits(const config::Config& config) {
  core::Limits limits;
  limits.patience = config.queue.patience;
  limits.turn = config.queue.turn;
  limits.request_limit = config.queue.request_limit;
  limits.max_waiting = config.queue.max_waiting;
  limits.loads_at_once = config.engine.loads_at_once;
  limits.policy = policy_of(config.memory.policy);
  return limits;
}

}  // namespace hf::engine
