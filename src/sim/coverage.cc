#include "sim/coverage.h"

#include <algorithm>
#include <string_view>
#include <type_traits>

#include "sim/describe.h"

namespace hf::sim {
namespace {

// In the order of core::Action; what carries no reason is counted by its kind.
constexpr std::array<std::string_view, std::variant_size_v<core::Action>> kActionNames{
    "grant", "refuse", "cut", "start", "stop", "gate", "notice", "answer", "finished"};

// In the order of Mark.
constexpr std::array<std::string_view, kMarks> kMarkNames{
    "deadline_tightened",    "deadline_postponed", "place_taken_back",  "gated_late",
    "owner_took_idle",       "owner_needed_more",  "owner_without_set", "reloaded_after_own_reap",
    "higher_priority_first", "retry_made_room",    "settings_applied",  "stall_passed",
    "stall_given_up",        "long_stall",         "stalls_spent"};

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

std::string name_of_subject(std::string_view action, std::size_t subject) {
  if (action == "notice") {
    return ":" + std::string(name_of(static_cast<core::action::NoticeKind>(subject)));
  }
  if (action == "answer") {
    return ":" + std::string(name_of(static_cast<core::action::AnswerCode>(subject)));
  }
  return action == "finished" ? "" : ":" + std::string(name_of(static_cast<core::Why>(subject)));
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
  deadlines_tightened += other.deadlines_tightened;
  deadlines_postponed += other.deadlines_postponed;
  worst_wait = std::max(worst_wait, other.worst_wait);
  worst_told = std::max(worst_told, other.worst_told);
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
  for (std::size_t m = 0; m < kMarks; ++m) {
    marks_[m] += other.marks_[m];
  }
}

std::vector<std::string> Coverage::marks() const {
  std::vector<std::string> marks;
  for (std::size_t a = 0; a < kActions; ++a) {
    for (std::size_t r = 0; r < kReasons; ++r) {
      if (counts_[a][r] > 0) {
        marks.push_back(std::string(kActionNames[a]) + name_of_subject(kActionNames[a], r));
      }
    }
  }
  for (std::size_t m = 0; m < kMarks; ++m) {
    if (marks_[m] > 0) {
      marks.push_back("rule:" + std::string(kMarkNames[m]));
    }
  }
  return marks;
}

std::vector<std::string> Coverage::missing() const {
  const std::vector<std::string> all = marks();
  std::vector<std::string> missing;
  for (const std::string_view mark : required_marks()) {
    if (std::find(all.begin(), all.end(), mark) == all.end()) {
      missing.emplace_back(mark);
    }
  }
  return missing;
}

bool Coverage::hit(std::string_view mark) const {
  const std::vector<std::string> all = marks();
  return std::find(all.begin(), all.end(), mark) != all.end();
}

}  // namespace hf::sim
