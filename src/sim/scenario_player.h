#pragma once
// Performs the commands of one scenario. Internal to scenario.cc.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/scheduler.h"
#include "sim/describe.h"

namespace hf::sim {

class ScenarioPlayer {
 public:
  // Performs one command line and returns what came of it, one line each.
  Result<std::string> perform(std::string_view line);

 private:
  using Words = std::vector<std::string>;

  Result<bool> set_limit(const Words& words);  // false: no such limit
  Result<core::Event> event_of(const Words& words);
  Result<core::Event> model_event(const Words& words);
  Result<core::Event> client_event(const Words& words);
  Result<core::Event> child_event(const Words& words);
  Result<core::Event> command_event(const Words& words);
  Result<core::Event> model_added(const Words& words);
  Result<core::Event> arrived(const Words& words);
  Result<std::string> advance(const Words& words);
  Result<std::string> bound(const Words& words);
  std::string show() const;
  std::string deliver(const core::Event& event, bool with_time);

  core::Scheduler& scheduler();
  Result<ModelId> known_model(const std::string& name) const;
  Result<TicketId> known_ticket(const std::string& name) const;
  [[nodiscard]] Generation generation_of(ModelId model) const;

  core::Limits limits_;
  std::unique_ptr<core::Scheduler> scheduler_;
  Names names_;
  TimePoint now_{};
  std::uint64_t commands_ = 0;
};

}  // namespace hf::sim
