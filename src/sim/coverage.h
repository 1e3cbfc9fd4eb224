#pragma once
// What a run did: counters for the summary, and which decisions it made for which reasons, so that
// a test can say that the simulator reaches all of them. Value types; add() merges runs.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "core/action.h"
#include "core/reason.h"

namespace hf::sim {

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
  std::uint64_t bounds_checked = 0;  // tickets granted that had a published deadline to keep
  double worst_wait = 0;             // largest wait / bound of those
  Duration longest_wait{};           // of any ticket granted

  void add(const Counters& other);
};

// How often each kind of action was taken for each reason.
class Coverage {
 public:
  void note(const core::Action& action);
  void add(const Coverage& other);
  // "stop:idle_victim", in a fixed order, those that happened.
  [[nodiscard]] std::vector<std::string> marks() const;
  [[nodiscard]] bool hit(const std::string& mark) const;

 private:
  static constexpr std::size_t kActions = std::variant_size_v<core::Action>;
  static constexpr std::size_t kReasons = static_cast<std::size_t>(core::Why::Exited) + 1;
  std::array<std::array<std::uint64_t, kReasons>, kActions> counts_{};
};

}  // namespace hf::sim
