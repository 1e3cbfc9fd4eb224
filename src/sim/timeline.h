#pragma once
// The future of a simulation: happenings in order of virtual time, first scheduled first among
// equals, so that a run depends on nothing but its seed. A happening is a small value; who
// scheduled it decides what it means when its time comes (its child may be gone by then). Single
// thread.

#include <cstdint>
#include <queue>
#include <vector>

#include "base/ids.h"
#include "base/time.h"

namespace hf::sim {

enum class What : std::uint8_t {
  // clients
  Arrivals,   // the stream of arrivals goes on
  Arrive,     // one request of `user` for `model`
  Leave,      // `ticket`: its client goes away, whatever the ticket is by then
  Answered,   // `ticket`: the answer is complete
  OpenEnded,  // `ticket`: it is no answer, and will not end
  Stall,
  Resume,
  // world
  Loaded,  // the load of `generation` ends, `detail` says how
  Exit,    // the stopping child of `generation` is reaped
  // faults
  Fault,
};

struct Happening {
  What what = What::Fault;
  ModelId model{};
  Generation generation{};
  UserId user{};
  TicketId ticket{};
  int detail = 0;
};

class Timeline {
 public:
  void add(TimePoint at, const Happening& happening) {
    queue_.push(Entry{at, ++order_, happening});
  }
  [[nodiscard]] bool empty() const { return queue_.empty(); }
  [[nodiscard]] TimePoint next_time() const { return queue_.top().at; }
  Happening take() {
    const Happening happening = queue_.top().happening;
    queue_.pop();
    return happening;
  }

 private:
  struct Entry {
    TimePoint at;
    std::uint64_t order;
    Happening happening;
    bool operator<(const Entry& other) const {  // the queue's top is the largest
      return at != other.at ? at > other.at : order > other.order;
    }
  };
  std::priority_queue<Entry> queue_;
  std::uint64_t order_ = 0;
};

}  // namespace hf::sim
