#pragma once
// The settings the core decides by, validated by config before they come here. Names and defaults:
// docs/config.md. Value type.

#include <optional>

#include "base/time.h"
#include "core/footprint.h"

namespace hf::core {

enum class VictimPolicy { Holdfast, Lru, Lfu, Gdsf, Largest };

struct Limits {
  Footprint budget;
  // What other programs took of each domain since the start. Not in the budget; it may come back,
  // so that what would fit with it is refused for now only.
  Footprint taken;

  Duration patience = std::chrono::seconds(30);  // P: who waited this long makes the line urgent
  std::optional<Duration> turn;  // Q; nullopt: max(patience, 10 x measured load), at most 300 s
  std::optional<Duration> request_limit;  // R; nullopt: answers are never cut for their length
  int loads_at_once = 1;                  // C
  int max_waiting = 64;                   // tickets a model; the next one is refused
  int users = 1;  // who may ask at most: they share a queue, so they are a term of its bound
  VictimPolicy policy = VictimPolicy::Holdfast;

  Duration placeholder = std::chrono::seconds(15);  // how long a departed client's place is kept
  Duration reader_stall =
      std::chrono::seconds(60);  // a bitten lease whose reader takes nothing ends
  Duration stop_deadline =
      std::chrono::seconds(10);               // U: SIGTERM to SIGKILL and reap, kept by the shell
  Duration drain = std::chrono::seconds(30);  // at shutdown, then what still runs is cut
  Duration all_in_use_warning = std::chrono::seconds(60);

  // Per cent of the machine's memory in use.
  double high = 90;
  double low = 85;
  double critical = 95;

  bool operator==(const Limits&) const = default;
};

// Facts of nature rather than taste; reasons in docs/reference and wait-bound.
// A request that arrives later than this after the one that began the latest episode begins a new
// one: a model in constant use counts one each half minute.
constexpr Duration kEpisodeGap = std::chrono::seconds(30);
constexpr Duration kEpisodeHalfLife = std::chrono::hours(6);
constexpr Duration kLongestTurn = std::chrono::seconds(300);
// A victim that had been used within this time comes back when the load it went for failed.
constexpr Duration kRecentlyUsed = std::chrono::minutes(10);
constexpr Duration kFirstBackoff = std::chrono::seconds(1);  // after a failed load, doubled up to
constexpr Duration kLongestBackoff = std::chrono::seconds(60);
// When to ask again for what other programs keep from a model. Nobody knows when they will be done;
// a refusal costs next to nothing, so this is short for somebody who waits at a screen.
constexpr Duration kNeighbourPause = std::chrono::seconds(10);

}  // namespace hf::core
