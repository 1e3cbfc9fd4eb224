#pragma once
// Events and actions in words, one line each, for failure reports and scenario transcripts.
// Pure, any thread.

#include <string>
#include <vector>

#include "core/action.h"
#include "core/event.h"

namespace hf::sim {

// Names by id; an id beyond the list is written as a number ("m3", "t17").
struct Names {
  std::vector<std::string> models;
  std::vector<std::string> tickets;

  [[nodiscard]] std::string model(ModelId id) const;
  [[nodiscard]] std::string ticket(TicketId id) const;
};

// "arrive t4 m1", "ready m1 g2", "reading 96.2%".
std::string describe(const core::Event& event, const Names& names);
// "stop a g1: idle_victim: idle and least valuable; makes room for b (…)".
std::string describe(const core::Action& action, const Names& names);
// "12.5GiB", or "12.5GiB+3.0GiB" where more domains than host RAM are used.
std::string describe(const core::Footprint& footprint);

}  // namespace hf::sim
