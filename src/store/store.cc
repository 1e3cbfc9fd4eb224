#include "store/store.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "store/request_tables.h"
#include "store/schema.h"

namespace hf::store {

struct Store::Database {
  explicit Database(const std::filesystem::path& path, int flags = SQLite::OPEN_READWRITE)
      : connection(path.string(), flags, kBusyTimeoutMs) {}

  // Another program (a backup, `sqlite3`) may hold the file for a moment; longer is not a moment.
  static constexpr int kBusyTimeoutMs = 200;

  SQLite::Database connection;
  std::optional<std::string> warning;
};

namespace {

namespace fs = std::filesystem;

Errc code_of(int sqlite_code) {
  switch (sqlite_code & 0xff) {  // the low byte is the kind, the rest its shade
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Errc::Unavailable;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return Errc::ResourceExhausted;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
      return Errc::PermissionDenied;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Errc::Corrupt;
    default:
      return Errc::Io;
  }
}

// Runs `work` and turns what SQLiteCpp throws into an Error: the only place where it is caught.
template <class Work>
auto guarded(std::string_view doing, Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const SQLite::Exception& error) {
    return fail(code_of(error.getErrorCode()), std::string(doing) + ": " + error.what());
  } catch (const std::exception& error) {
    return fail(Errc::Internal, std::string(doing) + ": " + error.what());
  }
}

tl::unexpected<Error> failed(const fs::path& path, int reason) {
  const bool denied = reason == EACCES || reason == EPERM || reason == EROFS || reason == ENOENT;
  const bool full = reason == ENOSPC || reason == EDQUOT;
  return fail(denied ? Errc::PermissionDenied
              : full ? Errc::ResourceExhausted
                     : Errc::Io,
              "history: " + path.string() + ": " + std::strerror(reason), reason);
}

// SQLite would create the file for everybody to read; names of models are nobody else's business.
Status make_file(const fs::path& path) {
  std::error_code error;
  const fs::path folder = path.parent_path();
  if (!folder.empty() && !fs::exists(folder, error)) {
    fs::create_directories(folder, error);
    if (error) {
      return failed(folder, error.value());
    }
    fs::permissions(folder, fs::perms::owner_all, error);
  }
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return failed(path, errno);
  }
  ::close(fd);
  return {};
}

// Moves the file and what belongs to it out of the way; the new name, or why it failed.
Result<fs::path> set_aside(const fs::path& path) {
  // Old wrecks are kept apart from new ones; after that many somebody should look at the disk.
  constexpr int kMostWrecks = 100;
  for (int number = 1; number <= kMostWrecks; ++number) {
    const std::string suffix = ".damaged-" + std::to_string(number);
    std::error_code error;
    if (fs::exists(path.string() + suffix, error)) {
      continue;
    }
    // The log first: left behind, it would be replayed into the fresh file.
    for (const char* part : {"-wal", "-shm", ""}) {
      const std::string from = path.string() + part;
      fs::rename(from, path.string() + suffix + part, error);
      if (error && error != std::errc::no_such_file_or_directory) {
        return failed(from, error.value());
      }
    }
    return fs::path(path.string() + suffix);
  }
  return fail(Errc::Io, "history: " + path.string() + ": too many damaged files beside it");
}

void check_integrity(SQLite::Database& connection) {
  SQLite::Statement check(connection, "PRAGMA quick_check(1)");
  if (!check.executeStep() || check.getColumn(0).getString() != "ok") {
    throw SQLite::Exception("the file is damaged", SQLITE_CORRUPT);
  }
}

// Errors: Unsupported for a file of a later version. Throws like all of SQLiteCpp.
Status migrate(SQLite::Database& connection) {
  SQLite::Transaction transaction(connection, SQLite::TransactionBehavior::IMMEDIATE);
  const int version = connection.execAndGet("PRAGMA user_version").getInt();
  const int newest = static_cast<int>(kMigrations.size());
  if (version > newest) {
    return fail(Errc::Unsupported, "history: the file has version " + std::to_string(version) +
                                       ", this program knows " + std::to_string(newest) +
                                       "; it is left as it is");
  }
  for (int step = version; step < newest; ++step) {
    connection.exec(kMigrations.at(static_cast<std::size_t>(step < 0 ? 0 : step)));
  }
  connection.exec("PRAGMA user_version = " + std::to_string(newest));
  transaction.commit();
  return {};
}

std::optional<double> optional_double(const SQLite::Column& column) {
  return column.isNull() ? std::nullopt : std::optional(column.getDouble());
}

void bind_optional(SQLite::Statement& statement, int index, const std::optional<double>& value) {
  if (value) {
    statement.bind(index, *value);
  } else {
    statement.bind(index);  // NULL
  }
}

std::vector<ModelStats> load_models(SQLite::Database& connection) {
  std::vector<ModelStats> models;
  SQLite::Statement query(connection,
                          "SELECT name, use_count, episodes, episodes_at_ms, last_use_ms "
                          "FROM model_stats ORDER BY name");
  while (query.executeStep()) {
    models.push_back({query.getColumn(0).getString(), query.getColumn(1).getInt64(),
                      query.getColumn(2).getDouble(), query.getColumn(3).getInt64(),
                      query.getColumn(4).getInt64()});
  }
  return models;
}

std::vector<MeasurementRow> load_measurements(SQLite::Database& connection) {
  std::vector<MeasurementRow> rows;
  SQLite::Statement query(connection,
                          "SELECT file, options, engine, load_seconds_cached, load_seconds_cold, "
                          "high_water_bytes, fully_exercised, slowest_decode, slowest_prefill, "
                          "card_high_water, load_cached_estimated, load_cold_estimated "
                          "FROM measurements ORDER BY file, options, engine");
  while (query.executeStep()) {
    MeasurementRow row;
    row.key = {query.getColumn(0).getString(), query.getColumn(1).getString(),
               query.getColumn(2).getString()};
    row.value.load_seconds_cached = optional_double(query.getColumn(3));
    row.value.load_seconds_cold = optional_double(query.getColumn(4));
    row.value.high_water = Bytes(query.getColumn(5).getInt64());
    row.value.fully_exercised = query.getColumn(6).getInt() != 0;
    row.value.slowest_decode = optional_double(query.getColumn(7));
    row.value.slowest_prefill = optional_double(query.getColumn(8));
    row.value.card_high_water = parse_by_card(query.getColumn(9).getString());
    // Where there is no figure, none was estimated.
    row.value.load_cached_estimated =
        row.value.load_seconds_cached && query.getColumn(10).getInt() != 0;
    row.value.load_cold_estimated =
        row.value.load_seconds_cold && query.getColumn(11).getInt() != 0;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace

Store::Store(std::unique_ptr<Database> database) : database_(std::move(database)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

const std::optional<std::string>& Store::warning() const {
  return database_->warning;
}

Result<Store> Store::open(const fs::path& path) {
  const auto open_once = [&path]() -> Result<Store> {
    if (Status made = make_file(path); !made) {
      return fail(std::move(made.error()));
    }
    return guarded("history: " + path.string(), [&]() -> Result<Store> {
      auto database = std::make_unique<Database>(path);
      check_integrity(database->connection);
      // Readers do not block the writer, and a crash loses at most the last save.
      database->connection.exec("PRAGMA journal_mode = WAL");
      database->connection.exec("PRAGMA synchronous = NORMAL");
      if (Status migrated = migrate(database->connection); !migrated) {
        return fail(std::move(migrated.error()));
      }
      forget_unused_models(database->connection);
      return Store(std::move(database));
    });
  };
  auto store = open_once();
  if (store || store.error().code != Errc::Corrupt) {
    return store;
  }
  const std::string why = store.error().message;
  const auto wreck = set_aside(path);
  if (!wreck) {
    return fail(wreck.error());
  }
  store = open_once();
  if (store) {
    store->database_->warning =
        why + "; it was renamed to " + wreck->string() + " and a new history begun";
  }
  return store;
}

Result<Store> Store::open_to_read(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    return fail(Errc::NotFound, "history: " + path.string() + ": there is no such file");
  }
  return guarded("history: " + path.string(), [&]() -> Result<Store> {
    auto database = std::make_unique<Database>(path, SQLite::OPEN_READONLY);
    const int version = database->connection.execAndGet("PRAGMA user_version").getInt();
    const auto known = static_cast<int>(kMigrations.size());
    if (version != known) {
      return fail(Errc::Unsupported, "history: " + path.string() + ": the file has version " +
                                         std::to_string(version) + ", this program reads " +
                                         std::to_string(known) +
                                         (version < known ? "; the server brings it up to date "
                                                            "when it starts"
                                                          : ""));
    }
    return Store(std::move(database));
  });
}

Result<History> Store::load_all() {
  return guarded("history", [this]() -> Result<History> {
    History history;
    history.models = load_models(database_->connection);
    history.measurements = load_measurements(database_->connection);
    return history;
  });
}

Status Store::save_model_stats(std::span<const ModelStats> models) {
  return guarded("history", [&]() -> Status {
    SQLite::Database& connection = database_->connection;
    SQLite::Transaction transaction(connection, SQLite::TransactionBehavior::IMMEDIATE);
    SQLite::Statement save(connection, "INSERT OR REPLACE INTO model_stats VALUES (?,?,?,?,?)");
    for (const ModelStats& model : models) {
      save.bind(1, model.name);
      save.bind(2, model.use_count);
      save.bind(3, model.episodes);
      save.bind(4, model.episodes_at_ms);
      save.bind(5, model.last_use_ms);
      save.exec();
      save.reset();
    }
    transaction.commit();
    return {};
  });
}

Status Store::save_measurement(const MeasurementRow& row, std::int64_t now_ms) {
  return guarded("history", [&]() -> Status {
    SQLite::Database& connection = database_->connection;
    SQLite::Transaction transaction(connection, SQLite::TransactionBehavior::IMMEDIATE);
    SQLite::Statement save(
        connection, "INSERT OR REPLACE INTO measurements VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)");
    save.bind(1, row.key.file);
    save.bind(2, row.key.options);
    save.bind(3, row.key.engine);
    bind_optional(save, 4, row.value.load_seconds_cached);
    bind_optional(save, 5, row.value.load_seconds_cold);
    save.bind(6, row.value.high_water.count);
    save.bind(7, row.value.fully_exercised ? 1 : 0);
    bind_optional(save, 8, row.value.slowest_decode);
    bind_optional(save, 9, row.value.slowest_prefill);
    save.bind(10, now_ms);
    save.bind(11, to_text(row.value.card_high_water));
    save.bind(12, row.value.load_cached_estimated ? 1 : 0);
    save.bind(13, row.value.load_cold_estimated ? 1 : 0);
    save.exec();
    connection.exec(
        "DELETE FROM measurements WHERE (file, options, engine) IN (SELECT file, options, engine "
        "FROM measurements ORDER BY saved_ms DESC LIMIT -1 OFFSET " +
        std::to_string(kMostMeasurements) + ")");
    transaction.commit();
    return {};
  });
}

Status Store::save_requests(const RequestLog& batch, const Keep& keep) {
  return guarded("history", [&]() -> Status {
    store::save_requests(database_->connection, batch, keep);
    return {};
  });
}

Status Store::forget_requests() {
  return guarded("history", [&]() -> Status {
    store::forget_requests(database_->connection);
    return {};
  });
}

Result<RequestLog> Store::load_requests(const Wanted& wanted) {
  return guarded("history", [&]() -> Result<RequestLog> {
    return store::load_requests(database_->connection, wanted);
  });
}

}  // namespace hf::store
