#include "api/active_request.h"

#include <string>
#include <utility>

#include "core/reason.h"

namespace hf::api {

ActiveRequest::ActiveRequest(std::shared_ptr<ActiveRequests> all, UserId user)
    : all_(std::move(all)), user_(user) {
  ++(*all_)[user_];
}

ActiveRequest::~ActiveRequest() {
  const auto at = all_->find(user_);
  if (--at->second == 0) {
    all_->erase(at);
  }
}

std::optional<ApiError> count_in(const std::shared_ptr<ActiveRequests>& all, const Caller& caller,
                                 std::shared_ptr<ActiveRequest>& counted) {
  if (counted) {
    return std::nullopt;
  }
  const auto found = all->find(caller.user);
  const int active = found == all->end() ? 0 : found->second;
  if (!caller.max_active || active < *caller.max_active) {
    counted = std::make_shared<ActiveRequest>(all, caller.user);
    return std::nullopt;
  }
  ApiError error;
  error.status = 429;
  error.code = core::name_of(core::Why::UserLimit);
  error.message = "you have " + std::to_string(*caller.max_active) +
                  " requests waiting or running, which is your limit";
  error.hint = "wait for one of them to be answered; an administrator can raise your max_active";
  error.retry_after = std::chrono::seconds(1);
  return error;
}

}  // namespace hf::api
