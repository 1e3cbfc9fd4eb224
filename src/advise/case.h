#pragma once
// A recorded history made into something that can be replayed: the trace, each model as it was
// measured, and what really happened, to compare with. It exists because a record has gaps that a
// replay must fill (how long would a request have been served whose client left its queue?), and
// each filling is said here once. Pure, any thread.

#include <cstdint>
#include <string>
#include <vector>

#include "core/limits.h"
#include "sim/replay.h"
#include "sim/trace.h"
#include "store/request_log.h"

namespace hf::advise {

// Of a model, what its replay does not need but its advice does.
struct ModelFacts {
  Bytes weights;
  double bits_per_weight = 0;  // 0: not known
  std::uint64_t uses = 0;      // requests in the trace
};

// What was counted when it happened.
struct Recorded {
  std::uint64_t requests = 0;  // all in the record, also those that are not replayed
  std::uint64_t loads = 0;
  Duration waited{};           // all waits together, also of those who left
  sim::WaitFigures wait;       // of those who were served
  std::uint64_t unserved = 0;  // left their queue or were refused
};

struct Case {
  sim::Trace trace;                      // begins at zero
  std::vector<sim::ReplayModel> models;  // of trace.models, likewise below
  std::vector<ModelFacts> facts;
  core::Limits limits;  // the present ones
  std::vector<TimePoint> restarts;
  Recorded recorded;
  std::int64_t from_ms = 0;  // arrival of the first request, wall clock
  std::int64_t to_ms = 0;    // and of the last
  std::uint64_t older = 0;   // requests that the record holds and this case does not
};

// How gaps are filled. A load takes the mean of the model's recorded loads, or what the scheduler
// reckoned with if there is none. A request that was never served (its client left the queue, the
// queue was full, the model did not fit) would have been served for the mean of its model's
// answers, or of all answers; one that left has just the patience it showed. A request within
// 2 s of the end of the same user's last one is taken to have waited for it, as a program in a loop
// does: it comes as long after that end, whenever that is. Requests that failed
// for other reasons (a broken file, a failed load, the shutdown) are left out. Models are those of
// the requests, and pinned ones. `limits.budget` counts, not the record's.
Case make_case(const store::RequestLog& log, const core::Limits& limits);

}  // namespace hf::advise
