#pragma once
// The core's record of one model: what is known of it, the state of its child, who waits and who
// holds it. Internal to the core; everybody else sees ModelView. Plain data: the rules live in
// Scheduler.

#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "core/event.h"
#include "core/reason.h"
#include "core/ticket_queue.h"
#include "core/view.h"

namespace hf::core {

enum class Gate {
  Open,
  ForOwner,  // shut so that the owner gets the memory; may open again while nobody waits behind it
  ByHand,    // drain, reload, shutdown, removal: never opens again
};

struct Lease {
  TicketId ticket;
  UserId user;
  TimePoint since;
  std::optional<TimePoint> stalled_since;  // its reader takes nothing
  // Open-ended: the shortest that its model's longest answer was said to be since.
  std::optional<Duration> limit{};
};

// Where a ticket is.
struct TicketPlace {
  ModelId model;
  bool leased = false;
};

// To be loaded into free bytes although nobody asks.
struct Wanted {
  ModelId model;
  Reason reason;
};

struct Model {
  ModelId id;
  ModelSpec spec;
  bool listed = true;   // false: removed from the configuration
  bool broken = false;  // its file cannot be served
  bool pinned = false;

  State state = State::Absent;  // Gated is Ready with a shut gate; kept as one state for views
  Gate gate = Gate::Open;
  Why gate_why = Why::None;
  Generation generation;
  TimePoint state_since;
  TimePoint ready_since;  // the turn began
  TimePoint gated_at;
  Reason stop_reason;
  bool stop_for_cleanup = false;  // an Unloaded line and a Kept line belong to this stop
  bool stop_for_pressure = false;
  std::optional<Why> drain_when_ready;  // asked for while it loaded, and why
  bool kill_sent = false;

  TicketQueue queue;
  std::vector<Lease> leases;
  std::optional<std::uint64_t> line_number;
  // Since when its leases may be ended because others wait (rule 10); nullopt: they may not.
  std::optional<TimePoint> bitten_since;

  int child_slots = 0;             // of the present generation: a new spec is for the next one
  Duration child_load_deadline{};  // likewise
  // An answer of the present generation may take so long by an earlier spec; nullopt: not known.
  std::optional<Duration> child_answer = Duration::zero();
  Footprint reserved;  // of the present generation
  Footprint measured;  // its high-water mark
  Footprint debt;      // what measured exceeds reserved by

  std::uint64_t use_count = 0;
  std::uint64_t uses_since_load = 0;
  double episodes = 0;      // decayed to episodes_at
  TimePoint episodes_at;    // arrival of the latest request
  TimePoint episode_began;  // arrival of the latest request that was counted as an episode
  TimePoint last_use;       // arrival or end of the latest request
  double inflation = 0;
  double mean_answer_s = 5;  // moving average of lease durations, for ETAs only

  int failures = 0;  // failed attempts in a row, for the back-off
  int crashes = 0;   // of ready children in a row, each soon after its load
  TimePoint failed_until;
  bool oom_retry = false;        // the one second attempt of this turn is under way
  std::vector<ModelId> victims;  // who was stopped for the load that is wanted or under way

  [[nodiscard]] bool open() const { return state == State::Ready; }
  [[nodiscard]] bool has_child() const {
    return state == State::Loading || state == State::Ready || state == State::Gated ||
           state == State::Stopping;
  }
  [[nodiscard]] int slots() const { return has_child() ? child_slots : spec.slots; }
  [[nodiscard]] bool slot_free() const { return static_cast<int>(leases.size()) < slots(); }
  [[nodiscard]] bool can_load() const { return state == State::Absent || state == State::Failed; }
};

}  // namespace hf::core
