#include "store/slowest_rate.h"

#include <algorithm>
#include <cmath>

namespace hf::store {

void SlowestRate::add(double rate) {
  if (!std::isfinite(rate) || rate <= 0) {
    return;
  }
  if (!slowest_) {
    slowest_ = rate;
    single_ = true;
    return;
  }
  if (rate >= *slowest_ / kDoubtFactor) {
    if (single_ && rate > *slowest_ * kDoubtFactor) {
      doubted_ = slowest_;
      slowest_ = rate;
    } else {
      slowest_ = std::min(*slowest_, rate);
    }
  } else if (doubted_) {
    slowest_ = std::max(*doubted_, rate);
    doubted_.reset();
  } else {
    doubted_ = rate;
  }
  single_ = false;
}

}  // namespace hf::store
