// The half of the player that lets time pass and shows what came of it.
#include <algorithm>
#include <array>
#include <cstdio>

#include "base/units.h"
#include "sim/scenario_player.h"

namespace hf::sim {
namespace {

std::string clock_text(TimePoint at) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3fs ", seconds_of(at.time_since_epoch()));
  return text.data();
}

}  // namespace

std::string ScenarioPlayer::deliver(const core::Event& event, bool with_time) {
  scheduler().handle(event, now_);
  std::string text;
  while (const auto action = scheduler().poll_action()) {
    text += (with_time ? clock_text(now_) : std::string()) + describe(*action, names_) + "\n";
  }
  scheduler().check_invariants();
  return text;
}

Result<std::string> ScenarioPlayer::advance(const Words& words) {
  const auto by = parse_duration(words.size() == 2 ? words[1] : "");
  if (!by) {
    return fail(by.error());
  }
  const TimePoint end = now_ + *by;
  std::string text;
  for (auto next = scheduler().next_deadline(); next && *next <= end;
       next = scheduler().next_deadline()) {
    now_ = *next;
    text += deliver(core::event::Wake{}, true);
  }
  now_ = end;
  return text;
}

Result<std::string> ScenarioPlayer::bound(const Words& words) {
  const auto ticket = known_ticket(words.size() == 2 ? words[1] : "");
  if (!ticket) {
    return fail(ticket.error());
  }
  scheduler().tell_time(now_);
  const auto deadline = scheduler().deadline_of(*ticket);
  return words[1] +
         (deadline ? " is served within " + format_duration(*deadline - now_)
                   : std::string(" has no bound")) +
         "\n";
}

std::string ScenarioPlayer::show() const {
  std::string text;
  if (!scheduler_) {
    return text;
  }
  scheduler_->tell_time(now_);
  for (std::uint32_t i = 0; i < scheduler_->model_count(); ++i) {
    const core::ModelView view = scheduler_->view(ModelId(i));
    text += view.name + " " + std::string(core::name_of(view.state)) +
            " leases=" + std::to_string(view.leases) + " waiting=" + std::to_string(view.waiting) +
            (view.pinned ? " pinned" : "") + "\n";
  }
  for (const core::WaitView& wait : scheduler_->waiting()) {
    text += "line " + std::to_string(wait.position) + ": " + names_.model(wait.model) +
            " waits for " + std::string(core::name_of(wait.waiting_for)) + "\n";
  }
  const core::MemoryView memory = scheduler_->memory();
  text += "reserved " + format_bytes(memory.reserved.in[core::kHostRam]) + " of " +
          format_bytes(memory.budget.in[core::kHostRam]) + "\n";
  return text;
}

Result<ModelId> ScenarioPlayer::known_model(const std::string& name) const {
  const auto at = std::find(names_.models.begin(), names_.models.end(), name);
  if (at == names_.models.end()) {
    return fail(Errc::InvalidArgument, "no model '" + name + "'");
  }
  return ModelId(static_cast<std::uint32_t>(at - names_.models.begin()));
}

Result<TicketId> ScenarioPlayer::known_ticket(const std::string& name) const {
  const auto at = std::find(names_.tickets.begin(), names_.tickets.end(), name);
  if (at == names_.tickets.end()) {
    return fail(Errc::InvalidArgument, "no ticket '" + name + "'");
  }
  return TicketId(static_cast<std::uint64_t>(at - names_.tickets.begin()));
}

Generation ScenarioPlayer::generation_of(ModelId model) const {
  return scheduler_ && model.value < scheduler_->model_count() ? scheduler_->view(model).generation
                                                               : Generation{};
}

}  // namespace hf::sim
