#include "readers/stall_watch.h"

#include <algorithm>

#include "readers/pressure_trigger.h"

namespace hf::readers {

void StallWatch::take(TimePoint now, Duration total) {
  const Sample sample{now, total};
  if (!last_ || total < last_->total) {  // the first reading, or another machine's file
    forget();
    last_ = sample;
    return;
  }
  if (!window_ && total > last_->total) {
    window_ = last_;  // it began after the last quiet reading, so a burst lies in one window
  }
  last_ = sample;
  if (!window_) {
    return;
  }
  const Duration stood = total - window_->total;
  const Duration passed = now - window_->at;
  // A late reading makes a longer window, which must have more for the same share.
  const double share = seconds_of(stood) / seconds_of(std::max<Duration>(passed, kStallWindow));
  reached_ = share >= seconds_of(kStallThreshold) / seconds_of(kStallWindow);
  if (passed < kStallWindow) {
    return;
  }
  full_ = reached_ ? std::min(full_ + 1, 2) : 0;
  window_ = reached_ ? std::optional(sample) : std::nullopt;
  reached_ = false;
}

bool StallWatch::stalled() const {
  return full_ >= 2 || (full_ == 1 && reached_);
}

}  // namespace hf::readers
