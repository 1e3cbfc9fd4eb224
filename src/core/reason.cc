#include "core/reason.h"

#include "base/units.h"
#include "core/limits.h"
#include "core/view.h"

namespace hf::core {

std::string_view name_of(Why why) {
  switch (why) {
    case Why::None:
      return "none";
    case Why::HeadFits:
      return "head_fits";
    case Why::OvertakesIntoFree:
      return "overtakes_into_free";
    case Why::Preload:
      return "preload";
    case Why::VictimReturns:
      return "victim_returns";
    case Why::RetryAfterOom:
      return "retry_after_oom";
    case Why::IdleVictim:
      return "idle_victim";
    case Why::TurnOver:
      return "turn_over";
    case Why::GateNeverLifted:
      return "gate_never_lifted";
    case Why::MemoryPressure:
      return "memory_pressure";
    case Why::MemoryStall:
      return "memory_stall";
    case Why::EmergencyCleanup:
      return "emergency_cleanup";
    case Why::CleanupByHand:
      return "cleanup_by_hand";
    case Why::BudgetDebt:
      return "budget_debt";
    case Why::IdleTooLong:
      return "idle_too_long";
    case Why::UnloadedByHand:
      return "unloaded_by_hand";
    case Why::ForcedByHand:
      return "forced_by_hand";
    case Why::SpecChanged:
      return "spec_changed";
    case Why::Removed:
      return "removed";
    case Why::Shutdown:
      return "shutdown";
    case Why::OwnerWaits:
      return "owner_waits";
    case Why::OwnerGone:
      return "owner_gone";
    case Why::DrainByHand:
      return "drain_by_hand";
    case Why::SlotFree:
      return "slot_free";
    case Why::ModelReady:
      return "model_ready";
    case Why::QueueFull:
      return "queue_full";
    case Why::NeverFits:
      return "never_fits";
    case Why::CardTaken:
      return "card_taken";
    case Why::ModelFailed:
      return "model_failed";
    case Why::LoadFailed:
      return "load_failed";
    case Why::ModelBroken:
      return "model_broken";
    case Why::ModelGone:
      return "model_gone";
    case Why::ShuttingDown:
      return "shutting_down";
    case Why::UserLimit:
      return "user_limit";
    case Why::RequestLimit:
      return "request_limit";
    case Why::ReaderStalled:
      return "reader_stalled";
    case Why::ChildDied:
      return "child_died";
    case Why::DrainDeadline:
      return "drain_deadline";
    case Why::Forced:
      return "forced";
    case Why::Crashed:
      return "crashed";
    case Why::Exited:
      return "exited";
  }
  return "none";
}

std::string_view name_of(State state) {
  switch (state) {
    case State::Absent:
      return "absent";
    case State::Loading:
      return "loading";
    case State::Ready:
      return "ready";
    case State::Gated:
      return "gated";
    case State::Stopping:
      return "stopping";
    case State::Failed:
      return "failed";
  }
  return "absent";
}

std::string_view name_of(Standing standing) {
  switch (standing) {
    case Standing::InLine:
      return "in_line";
    case Standing::Loading:
      return "loading";
    case Standing::OpenButFull:
      return "full";
  }
  return "in_line";
}

std::string_view name_of(WaitingFor what) {
  switch (what) {
    case WaitingFor::Load:
      return "load";
    case WaitingFor::Slot:
      return "slot";
    case WaitingFor::Memory:
      return "memory";
    case WaitingFor::Turn:
      return "turn";
    case WaitingFor::Drain:
      return "drain";
    case WaitingFor::Reap:
      return "reap";
    case WaitingFor::LoadSlot:
      return "load_slot";
    case WaitingFor::Pressure:
      return "pressure";
  }
  return "memory";
}

namespace {

// A mark as it was configured: "90%", "92.5%".
std::string mark_text(double percent) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%g%%", percent);
  return text.data();
}

std::string least_of(int among) {
  return among > 1 ? "worth the least of " + std::to_string(among) + " idle models"
                   : "no other model is idle";
}

std::string sentence(const Reason& r, const std::string& whom) {
  const std::string waited = format_duration(r.waited);
  const std::string limit = format_duration(r.limit);
  // As the setting `gpus` numbers them.
  const std::string where = r.domain == kHostRam ? "" : " on card " + std::to_string(r.domain - 1);
  const std::string bytes =
      format_bytes(r.need) + " needed" + where + ", " + format_bytes(r.have) + " free";
  switch (r.why) {
    case Why::None:
      return "no reason recorded";
    case Why::HeadFits:
      return "first in line after " + waited + "; " + bytes;
    case Why::OvertakesIntoFree:
      return "fits into free memory and nobody is out of patience; " + bytes;
    case Why::Preload:
      return "wanted at start and nobody waits; " + bytes;
    case Why::VictimReturns:
      return "comes back because the load of " + whom + ", for which it had to go, failed; " +
             bytes;
    case Why::RetryAfterOom:
      return "second attempt after running out of memory; " + bytes;
    case Why::IdleVictim:
      return "idle and least valuable; makes room for " + whom + " (" + bytes + ")";
    case Why::TurnOver:
      return "its turn is over and its answers have ended; makes room for " + whom;
    case Why::GateNeverLifted:
      return "drained, and others wait for its next start";
    case Why::MemoryPressure:
      return "idle, and memory is at " + format_percent(r.percent) + " (from " + mark_text(r.mark) +
             " on until below " + mark_text(r.until) + " idle models go); " + least_of(r.among);
    case Why::MemoryStall:
      return "idle, and tasks stand still for want of memory (PSI); " + least_of(r.among);
    case Why::EmergencyCleanup:
      return "idle, and memory is at " + format_percent(r.percent) +
             ", at or above the critical mark of " + mark_text(r.mark);
    case Why::CleanupByHand:
      return "idle, and a cleanup was asked for";
    case Why::BudgetDebt:
      return "loaded models hold " + format_bytes(r.need) + where + ", more than the budget of " +
             format_bytes(r.have);
    case Why::IdleTooLong:
      return "idle for " + waited + ", its ttl is " + limit;
    case Why::UnloadedByHand:
      return "unload was asked for";
    case Why::ForcedByHand:
      return "a forced unload was asked for";
    case Why::SpecChanged:
      return "its file or its options changed";
    case Why::Removed:
      return "it is no longer configured";
    case Why::Shutdown:
      return "the server shuts down";
    case Why::OwnerWaits:
      return whom + " waits, the oldest request for " + waited + "; the turn of " + limit +
             " is over";
    case Why::OwnerGone:
      return "its memory is no longer needed";
    case Why::DrainByHand:
      return "a drain was asked for";
    case Why::SlotFree:
      return "a slot is free, after " + waited;
    case Why::ModelReady:
      return "the model is ready, after " + waited;
    case Why::QueueFull:
      return "the queue is full";
    case Why::NeverFits:
      return "needs " + format_bytes(r.need) + where + ", and at most " + format_bytes(r.have) +
             " can be given";
    case Why::CardTaken:
      return "needs " + format_bytes(r.need) + where + ", and other programs leave " +
             format_bytes(r.have) + " of it now";
    case Why::ModelFailed:
      return "its last load failed; the next attempt is allowed later";
    case Why::LoadFailed:
      return "its load failed";
    case Why::ModelBroken:
      return "its file cannot be served";
    case Why::ModelGone:
      return "it is not configured";
    case Why::ShuttingDown:
      return "the server shuts down";
    case Why::UserLimit:
      return "the queue is full and this user has the most requests in it";
    case Why::RequestLimit:
      return "ran " + waited + " while others waited; the request limit is " + limit;
    case Why::ReaderStalled:
      return "its reader took nothing for " + waited + " while others waited";
    case Why::ChildDied:
      return "its engine process ended unexpectedly";
    case Why::DrainDeadline:
      return "the drain deadline at shutdown passed";
    case Why::Forced:
      return "an administrator forced it";
    case Why::Crashed:
      return "its engine process crashes repeatedly";
    case Why::Exited:
      return "its process has ended and its memory is free";
  }
  return {};
}

}  // namespace

void put_bytes(Reason& reason, const Footprint& need, const Footprint& have) {
  reason.domain = tightest(need, have);
  reason.need = need.in[reason.domain];
  reason.have = have.in[reason.domain];
}

Duration pause_after(const Reason& misfit) {
  return misfit.why == Why::CardTaken ? kNeighbourPause : Duration::zero();
}

std::string describe(const Reason& reason, std::string_view for_name) {
  return sentence(reason, for_name.empty() ? "another model" : std::string(for_name));
}

}  // namespace hf::core
