#pragma once
// The baseline that people know: one queue for all requests, served in the order of arrival. The
// first one waits until its model is loaded and has a slot, idle models leave least recently used
// first, and everybody behind it waits too. Runs on the same box as a replay (sim/physics.h).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/physics.h"
#include "sim/replay.h"

namespace hf::bench {

struct ArrivalOrder {
  std::uint64_t loads = 0;
  Duration load_time{};
  std::vector<std::optional<Duration>> waits;  // by row
};

// Requires: every model fits into the budget.
class ArrivalOrderBox {
 public:
  ArrivalOrderBox(const std::vector<Bytes>& sizes, Bytes budget)
      : sizes_(sizes), budget_(budget), boxes_(sizes.size()) {}

  ArrivalOrder serve(const sim::Trace& trace) {
    ArrivalOrder result;
    TimePoint now{};  // when the queue's head may look for a place
    for (const sim::TraceRow& row : trace.rows) {
      Box& box = boxes_[row.model.value];
      const Bytes size = sizes_[row.model.value];
      now = std::max(now, row.at);
      if (!box.loaded) {
        now = make_room(size, now) + sim::load_time(size);
        box.loaded = true;
        used_ += size;
        ++result.loads;
        result.load_time += sim::load_time(size);
      }
      if (box.ends.size() >= sim::kReplaySlots) {
        const auto first = std::min_element(box.ends.begin(), box.ends.end());
        now = std::max(now, *first);
        box.ends.erase(first);
      }
      const Duration service = sim::service_time(size, row.prompt_tokens, row.output_tokens);
      box.ends.push_back(now + service);
      box.last_use = std::max(box.last_use, now + service);
      result.waits.emplace_back(now - row.at);
    }
    return result;
  }

 private:
  struct Box {
    bool loaded = false;
    std::vector<TimePoint> ends;  // of the latest answers, at most one a slot
    TimePoint last_use{};         // when the last of them ends
  };

  // The earliest moment, from `now` on, at which enough has left. Whoever became idle first leaves
  // first, so that is the order of last_use.
  TimePoint make_room(Bytes size, TimePoint now) {
    while (used_ + size > budget_) {
      Box* victim = nullptr;
      for (Box& box : boxes_) {
        if (box.loaded && (victim == nullptr || box.last_use < victim->last_use)) {
          victim = &box;
        }
      }
      now = std::max(now, victim->last_use);
      used_ -= sizes_[static_cast<std::size_t>(victim - boxes_.data())];
      *victim = Box{};
    }
    return now;
  }

  const std::vector<Bytes>& sizes_;
  Bytes budget_;
  Bytes used_;
  std::vector<Box> boxes_;
};

}  // namespace hf::bench
