#pragma once
// What a run did: counters for the summary, and which decisions it made for which reasons, so that
// a test can say that the simulator reaches all of them. Value types; add() merges runs.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "core/action.h"
#include "core/reason.h"

namespace hf::sim {

// Situations of the rules that action and reason alone do not show; `rule_watch.h` recognises them.
enum class Mark : std::uint8_t {
  DeadlineTightened,     // a published deadline moved closer
  DeadlinePostponed,     // by the time that memory pressure lasted
  PlaceTakenBack,        // rule 14: a client returned to the place that was kept for it
  GatedLate,             // rule 6: gates were shut for an owner some time after patience was over
  OwnerTookIdle,         // rule 7: an owner took idle victims before its set was drained
  OwnerNeededMore,       // rule 13: more was added to the owner's set
  OwnerWithoutSet,       // what was draining already sufficed for a new owner
  ReloadedAfterOwnReap,  // rule 12: it was head as soon as its own child was gone
  HigherPriorityFirst,   // before somebody in the line who had waited longer
  RetryMadeRoom,         // idle models were stopped for a second attempt
  SettingsApplied,       // longer settings, once nobody waited who had been promised less
  StallPassed,           // pressure ended by time alone, after the last reading of a stall
  StallGivenUp,          // a load began although readings told of a stall that was given up
  LongStall,             // a stall was given up because it had lasted for a minute
  StallsSpent,           // … or for less, because earlier ones had
};
constexpr std::size_t kMarks = 15;

struct Counters {
  std::uint64_t loads = 0;
  std::uint64_t stops = 0;
  std::uint64_t grants = 0;
  std::uint64_t refusals = 0;
  std::uint64_t cuts = 0;
  std::uint64_t crashes = 0;
  std::uint64_t failed_loads = 0;
  std::uint64_t gates_shut = 0;
  std::uint64_t gates_opened = 0;
  std::uint64_t bounds_checked = 0;  // waits that had a published deadline to keep, by its latest
  std::uint64_t deadlines_tightened = 0;
  std::uint64_t deadlines_postponed = 0;
  double worst_wait = 0;  // largest wait / bound of those
  double worst_told = 0;  // of those that were told in the line or before a full model, and by that
  Duration longest_wait{};  // of any ticket granted

  void add(const Counters& other);
};

// How often each kind of action was taken for each reason.
class Coverage {
 public:
  void note(const core::Action& action);
  void note(Mark mark) { ++marks_[static_cast<std::size_t>(mark)]; }
  void add(const Coverage& other);
  // "stop:idle_victim", "rule:owner_took_idle", in a fixed order, those that happened.
  [[nodiscard]] std::vector<std::string> marks() const;
  [[nodiscard]] bool hit(std::string_view mark) const;
  // Those of required_marks() that never happened.
  [[nodiscard]] std::vector<std::string> missing() const;

 private:
  static constexpr std::size_t kActions = std::variant_size_v<core::Action>;
  static constexpr std::size_t kReasons = static_cast<std::size_t>(core::Why::Exited) + 1;
  std::array<std::array<std::uint64_t, kReasons>, kActions> counts_{};
  std::array<std::uint64_t, kMarks> marks_{};
};

// Every decision and situation that a long simulation must come to, by name, in a fixed order.
const std::vector<std::string_view>& required_marks();

}  // namespace hf::sim
