#include "sim/replay_report.h"

#include <array>
#include <utility>

#include "base/units.h"

namespace hf::sim {
namespace {

constexpr std::array<std::pair<std::string_view, core::VictimPolicy>, 5> kPolicies{{
    {"holdfast", core::VictimPolicy::Holdfast},
    {"lru", core::VictimPolicy::Lru},
    {"lfu", core::VictimPolicy::Lfu},
    {"gdsf", core::VictimPolicy::Gdsf},
    {"largest", core::VictimPolicy::Largest},
}};

// More late requests than this say nothing new.
constexpr std::size_t kShownLate = 5;

template <class... Values>
std::string printed(const char* format, Values... values) {
  std::array<char, 512> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, values...);
  return buffer.data();
}

unsigned long long count(std::uint64_t n) {
  return n;
}

}  // namespace

std::optional<core::VictimPolicy> policy_named(std::string_view name) {
  for (const auto& [known, policy] : kPolicies) {
    if (known == name) {
      return policy;
    }
  }
  return std::nullopt;
}

std::string_view name_of(core::VictimPolicy policy) {
  for (const auto& [name, known] : kPolicies) {
    if (known == policy) {
      return name;
    }
  }
  return "";
}

std::string replay_json(const ReplayResult& result, core::VictimPolicy policy) {
  const WaitFigures& wait = result.wait;
  std::string json = "{\"policy\":\"" + std::string(name_of(policy)) + "\"";
  json += printed(",\"loads\":%llu,\"load_s\":%.3f,\"bytes_loaded\":%lld", count(result.loads),
                  seconds_of(result.load_time), static_cast<long long>(result.bytes_loaded.count));
  json += printed(",\"wait_s\":{\"mean\":%.3f,\"p50\":%.3f,\"p95\":%.3f,\"p99\":%.3f,\"max\":%.3f}",
                  seconds_of(wait.mean), seconds_of(wait.p50), seconds_of(wait.p95),
                  seconds_of(wait.p99), seconds_of(wait.max));
  json += printed(",\"bound_violations\":%llu,\"evictions\":%llu,\"requests\":%llu",
                  count(result.late.size()), count(result.evictions), count(result.requests));
  json += printed(",\"refused\":%llu,\"cut\":%llu,\"worst_wait_over_bound\":%.4f}\n",
                  count(result.refused), count(result.cut), result.worst_wait_over_bound);
  return json;
}

std::string replay_text(const Trace& trace, const ReplayResult& result, core::VictimPolicy policy) {
  const Duration span = trace.rows.back().at - trace.rows.front().at;
  std::string text = printed("%llu requests of %llu users for %llu models in %s, policy %s\n",
                             count(result.requests), count(trace.users), count(trace.models.size()),
                             format_duration(span).c_str(), std::string(name_of(policy)).c_str());
  text += printed("loads %llu, %s in %s of loading; evictions %llu\n", count(result.loads),
                  format_bytes(result.bytes_loaded).c_str(),
                  format_duration(result.load_time).c_str(), count(result.evictions));
  const WaitFigures& wait = result.wait;
  text += printed("waits: mean %s, p50 %s, p95 %s, p99 %s, longest %s\n",
                  format_duration(wait.mean).c_str(), format_duration(wait.p50).c_str(),
                  format_duration(wait.p95).c_str(), format_duration(wait.p99).c_str(),
                  format_duration(wait.max).c_str());
  if (result.refused > 0) {
    text +=
        printed("refused %llu: their models are larger than the budget\n", count(result.refused));
  }
  if (result.cut > 0) {
    text += printed("answers cut by the request limit: %llu\n", count(result.cut));
  }
  text += printed("waits beyond their published bound: %llu; the worst took %.0f%% of its bound\n",
                  count(result.late.size()), 100 * result.worst_wait_over_bound);
  for (std::size_t i = 0; i < result.late.size() && i < kShownLate; ++i) {
    const TraceRow& row = trace.rows[result.late[i]];
    text += printed("  late: the request at %.3f s for ", seconds_of(row.at.time_since_epoch())) +
            trace.models[row.model.value] + "\n";
  }
  return text;
}

}  // namespace hf::sim
