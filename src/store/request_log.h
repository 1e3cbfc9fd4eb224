#pragma once
// What is remembered of requests, so that `holdfast advise` can replay them under other budgets:
// when, which model, how long it waited and was served. It holds numbers only: no prompts, no
// answers, no keys, no names of users. Plain values; any thread.

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "core/footprint.h"

namespace hf::store {

// How a request ended. The numbers stand in files: never change one.
enum class Outcome : std::uint8_t {
  Done = 0,
  BrokenOff = 1,  // the client left, or the child died, while it was served
  Cut = 2,        // Holdfast took the lease away
  LeftQueue = 3,  // the client left while it waited
  QueueFull = 4,  // refused: a limit of the queue or of the user
  NeverFits = 5,  // refused: larger than the budget
  Failed = 6,     // refused: its load failed, its file is broken, other programs hold its card, the
                  // server shut down
};
constexpr int kOutcomes = 7;

// A model as it was when the rows of a batch were written: what a replay needs to know of it.
struct LoggedModel {
  std::string name;
  core::Footprint footprint;     // what the ledger reserves for it
  Bytes weights;                 // all parts of its file
  double bits_per_weight = 0;    // of its matrices; 0: not known
  Duration reload{};             // what the scheduler reckons with
  std::optional<Duration> stop;  // the last one, from the signal to the reap
  int slots = 1;
  int priority = 0;
  std::optional<Duration> ttl;
  bool pinned = false;

  bool operator==(const LoggedModel&) const = default;
};

// Wall-clock milliseconds since 1970: they outlive the process and decide nothing.
struct LoggedRequest {
  std::int64_t at_ms = 0;   // its arrival
  std::uint32_t model = 0;  // index into RequestLog::models
  std::uint32_t user = 0;   // number of the key in the configuration; 0: everybody without one
  Duration waited{};        // arrival to grant, or to the end of its wait
  Duration served{};        // grant to end; zero: never granted
  Outcome outcome = Outcome::Done;
  bool cold = false;  // its model was not ready when it came

  bool operator==(const LoggedRequest&) const = default;
};

struct LoggedLoad {
  std::int64_t at_ms = 0;   // when it was ready
  std::uint32_t model = 0;  // index into RequestLog::models
  Duration took{};

  bool operator==(const LoggedLoad&) const = default;
};

// A batch to be saved, and a history that was read. `models` names each model once.
struct RequestLog {
  core::Footprint budget;
  std::vector<LoggedModel> models;
  std::vector<LoggedRequest> requests;  // read: by arrival
  std::vector<LoggedLoad> loads;        // read: by time
  std::vector<std::int64_t> starts_ms;  // of the server; read: ascending
  std::uint64_t older = 0;              // read: requests that were there and not wanted

  [[nodiscard]] bool empty() const {
    return requests.empty() && loads.empty() && starts_ms.empty();
  }
};

// How much is kept: what is older, dated later, or beyond so many requests, goes with the next
// batch. 200,000 take about 11 MB. Both times come from a clock that may be set wrong: who fills
// them in answers for it; the defaults delete nothing by date.
struct Keep {
  std::int64_t since_ms = 0;
  std::int64_t until_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t most_requests = 200'000;
};

// What to read: the newest `most` requests since then.
struct Wanted {
  std::int64_t since_ms = 0;
  std::int64_t most = 200'000;
};

}  // namespace hf::store
