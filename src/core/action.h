#pragma once
// Everything the core can ask of the shell, in the order in which it must be done. Each carries its
// Reason. StartLoad and StopChild are answered by exactly one LoadReady/LoadFailed/Exited event
// each; the others need no answer. A StartLoad never precedes the reap that its memory depends on:
// the core hands it out only after that Exited event.

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "core/event.h"
#include "core/footprint.h"
#include "core/reason.h"

namespace hf::core {

namespace action {

// The ticket is a lease on this generation from now on; the shell must answer with Ended.
struct Grant {
  TicketId ticket;
  ModelId model;
  Generation generation;
  TicketKind kind = TicketKind::Request;  // Load: no lease, the ticket is done
  Duration waited{};
  Reason reason;
};
// The ticket is gone; tell the client.
struct Refuse {
  TicketId ticket;
  ModelId model;
  Duration retry_after{};  // zero: retrying will not help
  Reason reason;
};
// The lease is gone; end its relay with a typed error. (No Ended is expected; a late one is
// ignored.)
struct CutLease {
  TicketId ticket;
  ModelId model;
  Reason reason;
};
struct StartLoad {
  ModelId model;
  Generation generation;
  Footprint reserved;
  Reason reason;
};
// SIGTERM with the stop ladder; `kill`: SIGKILL at once. Never handed out for a child with leases,
// except by force and at the drain deadline, where CutLease for each of them comes before it.
struct StopChild {
  ModelId model;
  Generation generation;
  bool kill = false;
  Reason reason;
};
// For journal and events only: a gate was shut or opened.
struct GateMoved {
  ModelId model;
  Generation generation;
  bool shut = true;
  Reason reason;
};

enum class NoticeKind {
  CriticalMemory,    // 🚨 percent
  MemoryStall,       // ⚠️ tasks stand still for want of memory; percent
  StallGivenUp,      // ⚠️ it counts no longer, though it goes on; percent
  EmergencyCleanup,  // 🚨
  Protected,         // 🛡️ names: in use
  Pinned,            // 🛡️ names: nobody uses them, but they are pinned
  Unloaded,          // 🗑️ names[0], after the reap
  Kept,              // ✅ names, protected_names
  AllInUse,          // ⚠️ names, pinned_names; from a cleanup that found nothing to unload
  AllInUseLong,      // U11: likewise, for a while, and somebody waits
};
std::string_view name_of(NoticeKind kind);  // "all_in_use"

struct Notice {
  NoticeKind kind;
  double percent = 0;
  std::vector<ModelId> names{};
  std::vector<ModelId> protected_names{};
  std::vector<ModelId> pinned_names{};  // kept by nothing but their pin
  Duration lasted{};
};

enum class AnswerCode {
  Done,
  Started,    // drain or stop under way
  NotLoaded,  // nothing to do
  InUse,      // 409: leases, tickets or a load protect it
  NeverFits,  // 409: pinned bytes would not fit beside those pinned already
  TooLarge,   // 409: … nor alone: they are more than the budget
  CardTaken,  // 503: … now, because other programs hold the memory of `domain`
  Refused,    // shutting down
};
std::string_view name_of(AnswerCode code);  // "in_use"

// The answer to a command event.
struct Answer {
  std::uint64_t command = 0;
  AnswerCode code = AnswerCode::Done;
  std::vector<ModelId> unloading;
  std::vector<ModelId> kept;
  std::vector<ModelId> protected_models;
  std::size_t domain = kHostRam;  // in which a pin does not fit
};

// Shutdown is complete: no child is left.
struct Finished {};

}  // namespace action

using Action = std::variant<action::Grant, action::Refuse, action::CutLease, action::StartLoad,
                            action::StopChild, action::GateMoved, action::Notice, action::Answer,
                            action::Finished>;

}  // namespace hf::core
