#pragma once
// The last things that happened in a run, kept for its failure report, and the hash of all of them.
// Single thread.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

#include "core/action.h"
#include "core/event.h"

namespace hf::sim {

class Recorder {
 public:
  explicit Recorder(bool trace) : trace_(trace) {}

  void note(const core::Event& event, TimePoint now);
  void note(const core::Action& action, TimePoint now);
  // One line each, oldest first.
  [[nodiscard]] std::string last_lines() const;
  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  [[nodiscard]] std::uint64_t actions() const { return actions_; }

 private:
  struct Entry {
    TimePoint at;
    std::variant<core::Event, core::Action> what;
  };
  static constexpr std::size_t kKept = 60;

  static std::string line_of(const Entry& entry);
  Entry& next_entry(TimePoint now);
  void mix(std::uint64_t value);

  bool trace_;
  std::array<Entry, kKept> entries_{};
  std::size_t count_ = 0;
  std::uint64_t actions_ = 0;
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;  // FNV-1a's start
};

}  // namespace hf::sim
