#pragma once
// What is left of a computed budget while other programs use more memory than when the server
// started. Why it exists: a default budget is right at the start only. When a neighbour has taken
// its share and idle models went for it, loads up to the old budget would press the machine over
// the high mark again: models would be thrown out and fetched back in turns. A configured budget is
// somebody's decision and never yields. Pure, loop thread.

#include <deque>
#include <optional>

#include "base/bytes.h"
#include "readers/machine_memory.h"

namespace hf::engine {

// The machine as it would read without memory of ours: `ours` is what the children hold that the
// readings count as used, which excludes mapped files. Never below zero.
readers::MachineMemory without(const readers::MachineMemory& machine, Bytes ours);

class YieldingBudget {
 public:
  // A new computed budget, at the start or after a reload: nothing is yielded.
  void reset(Bytes full);
  // At least so much from now on, as far as the full one goes: something is about to happen that
  // needs it. True if that changed it.
  bool raise(Bytes least);

  // One sample. `computed`: the default budget of without(machine, ours) now. `least`: it never
  // yields below this, so that no model which fits the full budget is refused for good because of a
  // neighbour who may leave. True if current() changed.
  //
  // It yields at once by what two samples in a row agree on, and grows back by what five agree on;
  // changes smaller than a thirty-second of the full budget (at least 64 MiB) are noise.
  bool take(Bytes computed, Bytes least);

  [[nodiscard]] Bytes full() const { return full_; }
  [[nodiscard]] Bytes current() const { return current_; }

 private:
  Bytes full_;
  Bytes current_;
  std::deque<Bytes> wanted_;  // the newest samples, newest last, each between least and full
};

}  // namespace hf::engine
