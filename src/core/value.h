#pragma once
// What a loaded model is worth keeping, and which set of models is the cheapest to give up.
//
//   value = (episodes + 1/2) / (idle_s + 60) x reload_s / bytes
//
// episodes = requests that came more than 30 s apart, halved every 6 h. Why this and not LRU or
// GDSF: over recorded traces it costs 0.95 x LRU's load seconds and is never worse than 1.02 x,
// where GDSF, whose clock moves only on evictions, is up to 1.75 x worse
// (docs/adr/0003-victim-choice.md). Pure functions, any thread.

#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "core/footprint.h"
#include "core/limits.h"

namespace hf::core {

// Facts of one model that policies look at.
struct Worth {
  double episodes = 0;  // decayed to now
  std::uint64_t use_count = 0;
  std::uint64_t uses_since_load = 0;
  Duration idle{};  // zero while in use
  Duration reload{};
  Bytes bytes;
  double inflation = 0;  // GDSF: the clock when it was last used
};

double decayed_episodes(double episodes, Duration since);
double value_of(const Worth& worth, VictimPolicy policy);

struct Candidate {
  ModelId model;
  Footprint frees;
  double value = 0;
  std::uint64_t use_count = 0;
};

// Eviction order: ascending value; ties: larger first, then fewer uses, then the id.
bool leaves_before(const Candidate& a, const Candidate& b);

// Takes candidates in eviction order until `need` is
// covered in every domain, then drops what is not needed, last taken first. Empty if all together
// do not suffice; check `need.empty()` first. Candidates that free nothing of what is needed are
// never taken.
std::vector<ModelId> cheapest_set(const std::vector<Candidate>& candidates, const Footprint& need);

}  // namespace hf::core
