#include "net/body_budget.h"

#include "base/assert.h"

namespace hf::net {

BodyShare::~BodyShare() {
  if (budget_ != nullptr) {
    HF_ASSERT(budget_->held_ >= bytes_, "no more is given back than was taken");
    budget_->held_ -= bytes_;
  }
}

bool BodyShare::grow_to(std::uint64_t bytes) {
  HF_ASSERT(budget_ != nullptr, "a body that was moved away does not grow");
  HF_ASSERT(bytes >= bytes_, "a body does not shrink");
  if (bytes <= kSmallBody) {
    return true;
  }
  const std::uint64_t more = bytes - bytes_;
  if (budget_->held_ + more > budget_->limit_) {
    return false;
  }
  budget_->held_ += more;
  bytes_ = bytes;
  return true;
}

}  // namespace hf::net
