#pragma once
// What is still to happen in a case of the adversary, in order of virtual time, first noted first
// among equals. Single thread.

#include <cstdint>
#include <queue>

#include "base/ids.h"
#include "base/time.h"
#include "sim/adversary_case.h"

namespace hf::sim {

enum class Step : std::uint8_t {
  Visit,
  Return,  // of a client that left
  Strike,
  PressureOver,
  Loaded,
  Reaped,
  Leave,
  Answered,
  Stall
};

struct Appointment {
  Step step = Step::Visit;
  std::size_t index = 0;  // of the visit, the strike, the model or the ticket
  Generation generation{};
  LoadEnd end = LoadEnd::Ready;
};

class Agenda {
 public:
  void add(TimePoint at, const Appointment& appointment) {
    queue_.push(Entry{at, ++order_, appointment});
  }
  [[nodiscard]] bool empty() const { return queue_.empty(); }
  [[nodiscard]] TimePoint next_time() const { return queue_.top().at; }
  Appointment take() {
    const Appointment appointment = queue_.top().appointment;
    queue_.pop();
    return appointment;
  }

 private:
  struct Entry {
    TimePoint at;
    std::uint64_t order;
    Appointment appointment;
    bool operator<(const Entry& other) const {  // the queue's top is the largest
      return at != other.at ? at > other.at : order > other.order;
    }
  };
  std::priority_queue<Entry> queue_;
  std::uint64_t order_ = 0;
};

}  // namespace hf::sim
