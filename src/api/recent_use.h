#pragma once
// Who used which model lately, or had it loaded. Why: a user who is done with a model may have it
// unloaded, but not under somebody else who has only paused to read. Loop thread.

#include <map>
#include <utility>

#include "api/access.h"
#include "base/ids.h"
#include "base/time.h"
#include "config/config.h"

namespace hf::api {

class RecentUse {
 public:
  // So long after a user's last request a model counts as that user's, too.
  static constexpr Duration kLately = std::chrono::minutes(5);

  // A request of that user begins or ends.
  void note(ModelId model, UserId user, TimePoint now) {
    std::erase_if(last_, [now](const auto& entry) { return entry.second + kLately < now; });
    last_[{model, user}] = now;
  }

  [[nodiscard]] bool by(ModelId model, UserId user, TimePoint now) const {
    const auto found = last_.find({model, user});
    return found != last_.end() && found->second + kLately >= now;
  }

  [[nodiscard]] bool by_others(ModelId model, UserId user, TimePoint now) const {
    for (auto at = last_.lower_bound({model, UserId(0)});
         at != last_.end() && at->first.first == model; ++at) {
      if (at->first.second != user && at->second + kLately >= now) {
        return true;
      }
    }
    return false;
  }

 private:
  std::map<std::pair<ModelId, UserId>, TimePoint> last_;
};

// Whether that person may have it unloaded by the way (keep_alive: 0): what nobody else used
// lately, and without an operator's role only what that person used.
inline bool may_let_go(const RecentUse& uses, const Caller& caller, ModelId model, TimePoint now) {
  return !uses.by_others(model, caller.user, now) &&
         (caller.is(config::Role::Operator) || uses.by(model, caller.user, now));
}

// Now, as the notes want it.
inline TimePoint use_time() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return TimePoint(std::chrono::duration_cast<Duration>(since));
}

}  // namespace hf::api
