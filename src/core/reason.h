#pragma once
// Reason: why the core did what it did, as data: a code, who it was about, for whom, and the
// numbers that were compared. Log, journal, /health, `holdfast explain` and the dashboard all show
// this one record. Value type.

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "core/footprint.h"

namespace hf::core {

enum class Why {
  None,
  // loads
  HeadFits,           // first in line, and its bytes are free
  OvertakesIntoFree,  // fits into free bytes while nobody is out of patience
  RetryAfterOom,      // second attempt in the same turn, with a raised estimate
  Preload,            // wanted at start; its bytes are free and nobody waits
  VictimReturns,      // went for a model whose load failed; had been used recently
  // stops
  IdleVictim,       // least valuable idle set that makes room for the head
  TurnOver,         // gated for the owner, its running answers have ended
  GateNeverLifted,  // drained with tickets behind its gate
  MemoryPressure,
  MemoryStall,  // tasks stand still for want of memory, whatever the percentage
  EmergencyCleanup,
  CleanupByHand,
  BudgetDebt,   // busy children grew beyond their reservation; idle models go first
  IdleTooLong,  // ttl
  UnloadedByHand,
  ForcedByHand,
  SpecChanged,  // its file or options changed
  Removed,
  Shutdown,
  // gates
  OwnerWaits,  // shut: somebody in line is out of patience and this turn is over
  OwnerGone,   // opened again: nobody needs its memory any more
  DrainByHand,
  // grants
  SlotFree,
  ModelReady,  // load and pin tickets: the model is there
  // refusals
  QueueFull,    // more than max_waiting tickets, and nobody else has more than this user
  NeverFits,    // larger than the budget less what is pinned
  CardTaken,    // would fit, if other programs did not hold memory of its card
  ModelFailed,  // circuit breaker: retry after
  LoadFailed,
  ModelBroken,  // its file is not usable
  ModelGone,    // removed from the configuration
  ShuttingDown,
  UserLimit,  // as QueueFull, and this user has more than each of the others
  // cut leases
  RequestLimit,
  ReaderStalled,
  ChildDied,
  DrainDeadline,
  Forced,
  // tickets and children
  Crashed,
  Exited,
};

struct Reason {
  Why why = Why::None;
  std::optional<ModelId> for_model{};  // on whose behalf
  Bytes need{0};                       // bytes wanted …
  Bytes have{0};                       // … against bytes there
  std::size_t domain = kHostRam;       // in which these two are counted
  Duration waited{};                   // the oldest wait behind the decision
  Duration limit{};                    // the limit it was compared with (patience, turn, ttl, …)
  double value = 0;                    // value of keeping, where one was compared
  double percent = 0;                  // memory in use, where that decided …
  double mark = 0;                     // … the mark that it reached …
  double until = 0;                    // … and the one below which it must fall; 0: none
  int among = 0;                       // idle models, of which it is worth the least; 0: all go
};

// Puts in the bytes of the domain that decides: the one with the least left or the most missing.
void put_bytes(Reason& reason, const Footprint& need, const Footprint& have);

// For a refusal for want of room: when to ask again; zero: that will not help.
Duration pause_after(const Reason& misfit);

// Stable machine name of a code: "idle_victim".
std::string_view name_of(Why why);
// One English sentence with the numbers; `for_name` is the name of for_model, or empty.
std::string describe(const Reason& reason, std::string_view for_name);

}  // namespace hf::core
