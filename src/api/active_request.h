#pragma once
// A user's request that waits or runs, for `max_active`. An object, because requests of several
// kinds end in several ways: it counts from count_in() until the last copy of its Call is gone.
// Loop thread.

#include <memory>
#include <optional>
#include <unordered_map>

#include "api/access.h"
#include "api/errors.h"
#include "base/ids.h"

namespace hf::api {

// Requests of each user that wait or run; an entry goes at 0.
using ActiveRequests = std::unordered_map<UserId, int>;

class ActiveRequest {
 public:
  ActiveRequest(std::shared_ptr<ActiveRequests> all, UserId user);
  ActiveRequest(const ActiveRequest&) = delete;
  ActiveRequest& operator=(const ActiveRequest&) = delete;
  ~ActiveRequest();

 private:
  // Shared, because a request that a stopped loop still holds may go after the service.
  std::shared_ptr<ActiveRequests> all_;
  UserId user_;
};

// Counts a request of `caller` in `counted`, unless it is counted there already. The refusal: this
// one is more than the caller may have.
std::optional<ApiError> count_in(const std::shared_ptr<ActiveRequests>& all, const Caller& caller,
                                 std::shared_ptr<ActiveRequest>& counted);

}  // namespace hf::api
