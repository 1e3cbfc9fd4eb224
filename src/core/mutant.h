#pragma once
// Deliberate faults in the core. Why they are part of it: a checker or a search that finds nothing
// proves something only if it finds what is known to be wrong. Each is one condition at the rule
// that it weakens.

namespace hf::core {

// None in every product path.
enum class Mutant {
  None,
  IgnoreLeases,
  IgnoreLoading,
  OpenGateWithTickets,
  NoOwner,
  LiftByOvertaking,
  IgnoreStalls,         // nothing but the percentage is pressure
  NeverGiveUpStalls,    // they count while readings tell of them
  ForgetStalls,         // each may count for a minute, however soon it follows
  DenySecondAttempt,    // out of memory at load is answered like any other failure
  GiveUpSecondAttempt,  // although idle models could make room for it
  // Weaker rules, each of which somebody might think good enough.
  GateAtOnce,             // no turn: what is ready may be gated
  GateAfterQueue,         // what is ready may be gated only when nobody waits for it
  OnlyGatesBite,          // own tickets behind endless answers do not end them
  LineByOldestTicket,     // instead of by number
  IdleMembersLeftOpen,    // of the owner's set: whoever asks first keeps them
  DrainingNotCounted,     // by the next head
  PatienceOfHeadOnly,     // nobody else in the line makes it urgent
  SmallAlwaysOvertake,    // whatever fits into free bytes is loaded
  BoundCountsLoadsAside,  // C loads at once, so C turns at once: a bound that is too small
};

}  // namespace hf::core
