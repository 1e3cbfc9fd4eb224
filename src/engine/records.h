#pragma once
// The engine's records: what it keeps of a child, of one who waits, of a lease, of a decision and
// of a reload. Plain data of Engine::Impl; loop thread only.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "config/config.h"
#include "core/event.h"
#include "core/reason.h"
#include "engine/engine.h"
#include "engine/exercise.h"
#include "engine/model_file.h"
#include "process/child.h"
#include "store/measurement.h"

namespace hf::engine {

struct Running {
  std::shared_ptr<process::Child> child;
  Generation generation;
  std::string socket_path;  // on which it serves, or
  std::uint16_t port = 0;   // of 127.0.0.1
  TimePoint spawned;
  std::optional<TimePoint> stop_asked{};
  double progress = 0;
  int pid = 0;
  int oom_score = 0;       // as last set, or wanted
  bool scoring = false;    // it is being set on the processes of a command
  int leases = 0;          // granted and not yet released or cut, as the journal has told
  bool measuring = false;  // a reading of its memory is under way
  Bytes high_water{0};
  // What its next generation is charged by: as high_water, but with its weights in full, even while
  // another child maps the same file.
  Bytes mark{0};
  Bytes shared{0};           // the pages of files that `mark` leaves to others, at the last reading
  Exercise exercise;         // how much of what it may hold it was made to hold
  core::Footprint reserved;  // for this generation
  core::Footprint cards_seen;      // high-water mark on each card
  core::Footprint cards_now;       // as of the latest look; zero where it was not listed
  bool ready_before_look = false;  // it was ready when the latest look began
  int reaped_pid = 0;              // its memory on a card is not back yet
  store::MeasurementKey key;
  ModelSource source;  // what it was started for
  // Of a command only.
  std::vector<int> tree;                  // its processes, as last seen; `pid` is its supervisor's
  int ports_tried = 0;                    // in this generation
  bool beyond_declared = false;           // it was told that it holds more than it declares
  std::optional<double> cached_at_start;  // share of its files in the page cache, if known

  [[nodiscard]] bool is_command() const { return source.settings.is_command(); }
  // All that may hold something for it; of a command as far as they are known.
  [[nodiscard]] std::vector<int> processes() const {
    return tree.empty() ? std::vector<int>{pid} : tree;
  }
};

struct Waiting {
  AcquireCallback callback;
  ModelId model;
  UserId user;
  core::TicketKind kind = core::TicketKind::Request;
  TimePoint asked;
  bool arrived = false;  // the core knows it
  bool cold = false;     // its model was not ready when it came
  std::optional<Promise> promise{};
};

struct Held {
  ModelId model;
  Generation generation;
  std::function<void(const core::Reason&)> on_cut;
  std::optional<core::Reason> cut;  // came before on_cut was set
  // For the history.
  UserId user{};
  TimePoint asked{};
  TimePoint granted{};
  bool cold = false;
};

struct Remembered {
  TimePoint at;
  ModelId model;
  std::string event;
  std::string reason_code;
  std::string text;
};

struct PendingReload {
  ConfigReader reader;
  ReloadCallback callback;
  // Once it was read: what the file wants, and what of it can be had now.
  std::shared_ptr<const config::Config> wanted{};
  std::shared_ptr<const config::Config> config{};
  Bytes budget{};
  std::vector<Bytes> others{};  // of each card; models are placed by them once the reload counts
};

// What a pinned model has not got yet: its pin, which the configuration wants, or then its load.
struct PinWish {
  bool under_way = false;  // the core is being asked, or the load is awaited
  bool pinned = false;     // what is missing is the load
  std::string problem{};   // why the latest try came to nothing, for clients; "": none yet
  Duration pause{};        // after the latest try …
  TimePoint not_before{};  // … whose end this is
};

// What a file means for the model of its name.
enum class Change {
  None,
  Added,
  Changed,    // a child may go on
  Restarted,  // a child that runs no longer matches
};

}  // namespace hf::engine
