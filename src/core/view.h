#pragma once
// What the core shows of itself: values copied out for /health, `ps`, `explain`, metrics. No
// references into the core, so that a view may be kept.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "core/footprint.h"
#include "core/reason.h"

namespace hf::core {

enum class State { Absent, Loading, Ready, Gated, Stopping, Failed };
std::string_view name_of(State state);

struct ModelView {
  ModelId id;
  std::string name;
  State state = State::Absent;
  Generation generation;
  bool pinned = false;
  bool listed = true;   // false: no longer configured, only its child is left
  bool broken = false;  // its file cannot be served
  int leases = 0;
  int waiting = 0;  // live tickets, without placeholders
  int slots = 0;
  std::uint64_t use_count = 0;
  double episodes = 0;
  Duration idle{};            // since the last lease ended; zero while in use
  Duration since_last_use{};  // since the latest arrival or end of a request
  Duration in_state{};
  Footprint reserved;                  // of the present generation; zero when absent
  Footprint measured;                  // high-water mark of the present generation
  Footprint estimate;                  // for the next one
  double value = 0;                    // of keeping it now
  std::optional<Duration> failed_for;  // until a failed model may be tried again
};

// Why a request is refused as it comes.
struct RefusalAtOnce {
  Reason reason;
  Duration retry_after{};  // zero: retrying will not help
};

enum class WaitingFor { Load, Slot, Memory, Turn, Drain, Reap, LoadSlot, Pressure };
std::string_view name_of(WaitingFor what);

enum class Standing { InLine, Loading, OpenButFull };
std::string_view name_of(Standing standing);

// The terms of a bound, in the words of the wait rules (docs/scheduling.md).
struct BoundTerms {
  Standing standing = Standing::InLine;
  Duration patience{}, turn{}, answer{}, load{}, stop{};
  int ahead = 0;   // n: models before this one in line
  int place = 1;   // j
  int slots = 1;   // S
  int models = 1;  // M
};

// One who waits.
struct TicketView {
  TicketId ticket;
  ModelId model;
  UserId user;
  Duration waited{};
  int position = 0;               // of its model in the line, 1 = head; 0 = not in line
  int place = 1;                  // in its model's queue, 1 = next
  std::optional<Duration> eta;    // from now, an estimate
  std::optional<Duration> bound;  // from now to its published deadline; nullopt: not known
  BoundTerms terms;               // of that deadline
};

struct WaitView {
  ModelId model;
  int requests = 0;  // live tickets
  Duration oldest{};
  int position = 0;  // in the line of models, 1 = head; 0 = not in line (loading or full)
  std::optional<Duration> eta;    // an estimate
  std::optional<Duration> bound;  // time from now to the latest deadline published to a waiter
                                  // here; nullopt: an answer's length is not known yet
  BoundTerms terms;               // of that deadline
  WaitingFor waiting_for = WaitingFor::Memory;
  std::vector<ModelId> blockers;  // whose leases or turn it waits for
};

enum class PressureLevel { Normal, High, Critical };

struct MemoryView {
  Footprint budget;
  Footprint reserved;
  Footprint debt;  // grown beyond reservations by children in use
  double used_percent = 0;
  PressureLevel level = PressureLevel::Normal;
  bool by_stall = false;  // the level rests on tasks that stood still; by the marks it is normal
};

}  // namespace hf::core
