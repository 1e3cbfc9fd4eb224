#include "core/value.h"

#include <algorithm>
#include <cmath>

namespace hf::core {
namespace {

// Softens the division for a model that went idle this moment, and sets the scale on which recency
// counts: below a minute all are equally recent. Varying it from 60 to 1,800 s moved the result by
// 1 %.
constexpr double kIdleSoftening = 60;

}  // namespace

double decayed_episodes(double episodes, Duration since) {
  return episodes * std::exp2(-seconds_of(since) / seconds_of(kEpisodeHalfLife));
}

double value_of(const Worth& worth, VictimPolicy policy) {
  const double bytes = std::max(1.0, static_cast<double>(worth.bytes.count));
  const double density = seconds_of(worth.reload) / bytes;
  switch (policy) {
    case VictimPolicy::Holdfast:
      return (worth.episodes + 0.5) / (seconds_of(worth.idle) + kIdleSoftening) * density;
    case VictimPolicy::Lru:
      return -seconds_of(worth.idle);
    case VictimPolicy::Lfu:
      return static_cast<double>(worth.uses_since_load);
    case VictimPolicy::Gdsf:
      return worth.inflation + static_cast<double>(worth.uses_since_load) * density;
    case VictimPolicy::Largest:
      return -bytes;
  }
  return 0;
}

bool leaves_before(const Candidate& a, const Candidate& b) {
  if (a.value != b.value) {
    return a.value < b.value;
  }
  if (a.frees.total() != b.frees.total()) {
    return a.frees.total() > b.frees.total();
  }
  if (a.use_count != b.use_count) {
    return a.use_count < b.use_count;
  }
  return a.model < b.model;
}

std::vector<ModelId> cheapest_set(const std::vector<Candidate>& candidates, const Footprint& need) {
  // A heap, not a sort: of hundreds of candidates a few leave.
  std::vector<const Candidate*> heap;
  heap.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    heap.push_back(&candidate);
  }
  const auto leaves_later = [](const Candidate* a, const Candidate* b) {
    return leaves_before(*b, *a);
  };
  std::make_heap(heap.begin(), heap.end(), leaves_later);
  std::vector<const Candidate*> taken;
  Footprint freed;
  while (!heap.empty()) {
    const Footprint still_missing = need.missing_from(freed);
    if (still_missing.empty()) {
      break;
    }
    std::pop_heap(heap.begin(), heap.end(), leaves_later);
    const Candidate* const candidate = heap.back();
    heap.pop_back();
    if (!still_missing.overlaps(candidate->frees)) {
      continue;
    }
    taken.push_back(candidate);
    freed += candidate->frees;
  }
  if (!need.fits_in(freed)) {
    return {};
  }
  for (std::size_t i = taken.size(); i-- > 0;) {
    if (need.fits_in(freed - taken[i]->frees)) {
      freed -= taken[i]->frees;
      taken.erase(taken.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  std::vector<ModelId> chosen;
  chosen.reserve(taken.size());
  for (const Candidate* candidate : taken) {
    chosen.push_back(candidate->model);
  }
  return chosen;
}

}  // namespace hf::core
