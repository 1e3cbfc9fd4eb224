#pragma once
// Everything that can happen to the core. The shell turns I/O completions, commands and readings
// into these; the simulator invents them. Plain values, no pointers. An event about an old
// generation, an unknown ticket or an unknown model is a documented no-op: news may be late.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/ids.h"
#include "base/time.h"
#include "core/footprint.h"
#include "core/limits.h"

namespace hf::core {

// What the shell knows of a model before any child runs. The file was validated and costed before
// this.
struct ModelSpec {
  std::string name;
  Footprint footprint;                               // peak in use, an upper bound
  int slots = 4;                                     // S, leases at once
  int priority = 0;                                  // larger goes first among the young
  Duration reload{std::chrono::seconds(1)};          // expected seconds to load it again
  Duration load_deadline{std::chrono::seconds(60)};  // one attempt; the shell enforces it
  std::optional<Duration> longest_answer;  // R of this model, measured; nullopt: not known yet
  std::optional<Duration> ttl;             // idle this long → stopped
};

// History that outlives a child and a restart of the server.
struct UseHistory {
  std::uint64_t use_count = 0;
  double episodes = 0;        // decayed to `last_use`
  Duration since_last_use{};  // at the moment of the event
};

enum class TicketKind {
  Request,  // takes a slot when granted
  Load,     // `load`: answered when the model is ready, takes no slot
};

enum class EndKind {
  Done,        // a complete answer: the child works
  ClientGone,  // any other end; a waiting ticket leaves a placeholder
};

enum class LoadFailure { SpawnFailed, Crashed, OutOfMemory, TimedOut, Broken };
enum class CleanupLevel { Normal, Emergency };
enum class UnloadMode { IfIdle, Drain, Force };

namespace event {

struct ModelAdded {  // a new id, or a new spec of a known one (a loaded child keeps its old
                     // reservation)
  ModelId model;
  ModelSpec spec;
  std::optional<UseHistory> history;  // only with a new id
  bool restart =
      false;  // a loaded child no longer matches the spec: drain, then the next generation
};
struct ModelBroken {  // its file cannot be served; tickets are refused, a loaded child goes on
  ModelId model;
};
struct ModelRemoved {
  ModelId model;
};
struct SpecTuned {  // cheap news about a model's costs, from measurement; the name does not change
  ModelId model;
  std::optional<Duration> reload;
  std::optional<Duration> longest_answer;
  // For the next generation, instead of what the core knew, a raise after out-of-memory included:
  // the shell keeps that in what it tells until a later generation was measured.
  std::optional<Footprint> footprint;
};

struct Arrived {
  TicketId ticket;
  ModelId model;
  UserId user;
  TicketKind kind = TicketKind::Request;
};
struct Ended {  // a waiting ticket or a lease, whichever it is by now
  TicketId ticket;
  EndKind kind = EndKind::Done;
};
// The lease ends by no answer of its own (a WebSocket): once others wait it may last as long as its
// model's longest answer, which is what they were told, whatever the request limit.
struct OpenEnded {
  TicketId ticket;
};
struct ReaderStalled {  // the client takes nothing although bytes wait for it, since now
  TicketId ticket;
};
struct ReaderResumed {
  TicketId ticket;
};

struct LoadReady {
  ModelId model;
  Generation generation;
};
struct LoadFailed {  // the child has been reaped, its bytes are free
  ModelId model;
  Generation generation;
  LoadFailure failure = LoadFailure::Crashed;
};
struct Exited {  // a child that had been ready has been reaped, asked for or not
  ModelId model;
  Generation generation;
};
struct Measured {  // high-water mark of this generation so far
  ModelId model;
  Generation generation;
  Footprint in_use;
};

struct MemoryReading {
  double used_percent = 0;
  bool stalled = false;  // tasks stood still for want of memory in each of the two latest windows
};
struct Cleanup {  // by hand
  std::uint64_t command = 0;
  CleanupLevel level = CleanupLevel::Normal;
};
struct Unload {
  std::uint64_t command = 0;
  ModelId model;
  UnloadMode mode = UnloadMode::IfIdle;
};
struct Pin {
  std::uint64_t command = 0;
  ModelId model;
  bool pinned = true;
};
// New settings. A longer patience, turn or request limit, and another number of loads at once,
// count once nobody waits: deadlines were told by the old ones. Everything else counts at once.
struct LimitsChanged {
  Limits limits;
};
struct Preload {  // load it as soon as free bytes suffice and nobody waits; evicts nobody
  ModelId model;
};
struct Shutdown {};  // no new tickets; leases may end until the drain deadline
struct Wake {};      // next_deadline() has come

}  // namespace event

using Event =
    std::variant<event::ModelAdded, event::ModelBroken, event::ModelRemoved, event::SpecTuned,
                 event::Arrived, event::Ended, event::OpenEnded, event::ReaderStalled,
                 event::ReaderResumed, event::LoadReady, event::LoadFailed, event::Exited,
                 event::Measured, event::MemoryReading, event::Cleanup, event::Unload, event::Pin,
                 event::LimitsChanged, event::Preload, event::Shutdown, event::Wake>;

}  // namespace hf::core
