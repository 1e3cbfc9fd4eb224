#pragma once
// What `holdfast simulate --trace` prints of a replay, for people or as one JSON object, and the
// policies by name.

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "sim/replay.h"

namespace hf::sim {

// "holdfast", "lru", "lfu", "gdsf", "largest"; nullopt: no such policy.
std::optional<core::VictimPolicy> policy_named(std::string_view name);
std::string_view name_of(core::VictimPolicy policy);

// {"policy", "loads", "load_s", "bytes_loaded", "wait_s": {"mean", "p50", "p95", "p99", "max"},
// "bound_violations", "evictions", "requests", "refused", "cut", "worst_wait_over_bound"}, one
// line. Units: seconds, bytes.
std::string replay_json(const ReplayResult& result, core::VictimPolicy policy);
// A few lines for people.
std::string replay_text(const Trace& trace, const ReplayResult& result, core::VictimPolicy policy);

}  // namespace hf::sim
