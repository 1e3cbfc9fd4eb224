#pragma once
// The history across restarts, in SQLite: how often each model was used, what was measured of it,
// and the requests themselves (request_log.h). It exists so that a restarted server knows at once
// whom to keep and what a load costs. It is never needed to serve: every failure is an Error for
// the log, and the caller goes on without.
//
// Thread: synchronous and may block on the disk, so the engine gives it a thread of its own. One
// thread at a time; an object may move between threads. The file may be opened by several programs
// at once.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/measurement.h"
#include "store/request_log.h"

namespace hf::store {

// Times are wall-clock milliseconds since 1970: they outlive the process, and decide nothing but
// the fading of `episodes`.
struct ModelStats {
  std::string name;
  std::int64_t use_count = 0;
  double episodes = 0;  // uses more than 30 s apart, as faded at episodes_at_ms
  std::int64_t episodes_at_ms = 0;
  std::int64_t last_use_ms = 0;

  bool operator==(const ModelStats&) const = default;
};

struct MeasurementRow {
  MeasurementKey key;
  Measurement value;

  bool operator==(const MeasurementRow&) const = default;
};

struct History {
  std::vector<ModelStats> models;            // by name
  std::vector<MeasurementRow> measurements;  // by key
};

class Store {
 public:
  // Creates the folders (0700) and the file (0600) as needed and brings older files up to date. A
  // file that is damaged or no database is renamed to NAME.damaged-N, see warning(), and a fresh
  // one begun. Errors: PermissionDenied, Unavailable (another program holds it for longer than 2
  // s), Unsupported (written by a newer Holdfast; it is left alone), ResourceExhausted (disk full),
  // Io.
  static Result<Store> open(const std::filesystem::path& path);

  // For a program that only looks, also while a server writes: creates, migrates and sets aside
  // nothing. Errors: NotFound, PermissionDenied, Unsupported (of an older or a newer Holdfast),
  // Unavailable, Corrupt, Io.
  static Result<Store> open_to_read(const std::filesystem::path& path);

  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  // What a person should be told about the opening: which file was set aside and why.
  const std::optional<std::string>& warning() const;

  // Errors, here and below: Unavailable, ResourceExhausted, PermissionDenied, Corrupt, Io. After an
  // error nothing of that call was saved, and the next call may be tried.
  Result<History> load_all();

  // All or none of them. A name that is there already is replaced.
  Status save_model_stats(std::span<const ModelStats> models);

  // Replaces what was known for the key. `now_ms` is wall-clock time: when there are more rows than
  // kMostMeasurements, those not saved for the longest are forgotten.
  Status save_measurement(const MeasurementRow& row, std::int64_t now_ms);

  // Appends the rows, replaces what was known of the models, and forgets what `keep` leaves out.
  Status save_requests(const RequestLog& batch, const Keep& keep);
  Result<RequestLog> load_requests(const Wanted& wanted);
  // All of them, with the models, loads, starts and the budget that were recorded for a replay.
  Status forget_requests();

  // Files and options change over the years; more rows than this are only old ones.
  static constexpr int kMostMeasurements = 2000;

 private:
  struct Database;
  explicit Store(std::unique_ptr<Database> database);

  std::unique_ptr<Database> database_;
};

}  // namespace hf::store
