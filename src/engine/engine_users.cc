// Who uses which model, and who waits for it: names, counts and ages, never what was asked.
#include <algorithm>

#include "engine/impl.h"

namespace hf::engine {

std::string_view Engine::Impl::user_name(UserId user) const {
  const auto found = user_names_.find(user);
  return found == user_names_.end() ? std::string_view() : found->second;
}

void Engine::Impl::add_users(Status& status) const {
  status.user_names = user_names_;
  if (user_names_.empty()) {
    return;
  }
  std::map<ModelId, std::map<UserId, UserUse>> uses;
  const auto use_of = [this, &uses](ModelId model, UserId user, TimePoint asked) -> UserUse& {
    UserUse& use = uses[model][user];
    use.user = user;
    use.oldest = std::max(use.oldest, now() - asked);
    return use;
  };
  for (const auto& [ticket, waiting] : waiting_) {
    if (waiting.arrived && user_names_.contains(waiting.user)) {
      ++use_of(waiting.model, waiting.user, waiting.asked).waiting;
    }
  }
  for (const auto& [ticket, held] : held_) {
    if (!held.cut && user_names_.contains(held.user)) {
      ++use_of(held.model, held.user, held.asked).running;
    }
  }
  for (ModelStatus& model : status.models) {
    for (const auto& [user, use] : uses[model.id]) {
      model.users.push_back(use);
    }
  }
}

}  // namespace hf::engine
