#include "sim/coverage.h"

#include <algorithm>
#include <string_view>
#include <type_traits>

namespace hf::sim {
namespace {

// In the order of core::Action; what carries no reason is counted by its kind.
constexpr std::array<std::string_view, std::variant_size_v<core::Action>> kActionNames{
    "grant", "refuse", "cut", "start", "stop", "gate", "notice", "answer", "finished"};

struct SubjectOf {
  std::size_t operator()(const core::action::Notice& a) const {
    return static_cast<std::size_t>(a.kind);
  }
  std::size_t operator()(const core::action::Answer& a) const {
    return static_cast<std::size_t>(a.code);
  }
  std::size_t operator()(const core::action::Finished&) const { return 0; }
  template <class WithReason>
  std::size_t operator()(const WithReason& a) const {
    return static_cast<std::size_t>(a.reason.why);
  }
};

bool carries_reason(std::string_view action) {
  return action != "notice" && action != "answer" && action != "finished";
}

}  // namespace

void Counters::add(const Counters& other) {
  loads += other.loads;
  stops += other.stops;
  grants += other.grants;
  refusals += other.refusals;
  cuts += other.cuts;
  crashes += other.crashes;
  failed_loads += other.failed_loads;
  gates_shut += other.gates_shut;
  gates_opened += other.gates_opened;
  bounds_checked += other.bounds_checked;
  worst_wait = std::max(worst_wait, other.worst_wait);
  longest_wait = std::max(longest_wait, other.longest_wait);
}

void Coverage::note(const core::Action& action) {
  ++counts_[action.index()][std::visit(SubjectOf{}, action)];
}

void Coverage::add(const Coverage& other) {
  for (std::size_t a = 0; a < kActions; ++a) {
    for (std::size_t r = 0; r < kReasons; ++r) {
      counts_[a][r] += other.counts_[a][r];
    }
  }
}

std::vector<std::string> Coverage::marks() const {
  std::vector<std::string> marks;
  for (std::size_t a = 0; a < kActions; ++a) {
    for (std::size_t r = 0; r < kReasons; ++r) {
      if (counts_[a][r] > 0) {
        const std::string name(kActionNames[a]);
        const bool reason = carries_reason(kActionNames[a]);
        marks.push_back(
            name + ":" +
            (reason ? std::string(name_of(static_cast<core::Why>(r))) : std::to_string(r)));
      }
    }
  }
  return marks;
}

bool Coverage::hit(const std::string& mark) const {
  const std::vector<std::string> all = marks();
  return std::find(all.begin(), all.end(), mark) != all.end();
}

}  // namespace hf::sim
