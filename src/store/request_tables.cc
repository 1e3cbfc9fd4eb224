#include "store/request_tables.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <algorithm>
#include <map>

namespace hf::store {
namespace {

using std::chrono::milliseconds;

// "5000000000" for host RAM alone, "0,7000" with a card: domains in their order, empty ones at the
// end left out.
std::string text_of(const core::Footprint& footprint) {
  std::size_t used = core::kDomains;
  while (used > 1 && footprint.in.at(used - 1).count == 0) {
    --used;
  }
  std::string text;
  for (std::size_t d = 0; d < used; ++d) {
    text += (d == 0 ? "" : ",") + std::to_string(footprint.in.at(d).count);
  }
  return text;
}

// Anything else than our own text reads as zero: another program's rows must not end ours.
core::Footprint footprint_of(const std::string& text) {
  core::Footprint footprint;
  std::size_t domain = 0;
  for (const char c : text) {
    if (c == ',') {
      ++domain;
    } else if (c >= '0' && c <= '9' && domain < core::kDomains) {
      Bytes& bytes = footprint.in.at(domain);
      // 2^55 bytes: far above any machine, far below an overflow.
      bytes = Bytes(std::min(bytes.count * 10 + (c - '0'), std::int64_t{1} << 55U));
    }
  }
  return footprint;
}

void bind_duration(SQLite::Statement& statement, int index, const std::optional<Duration>& value) {
  if (value) {
    statement.bind(index, millis_of(*value));
  } else {
    statement.bind(index);  // NULL
  }
}

std::optional<Duration> duration_of(const SQLite::Column& column) {
  return column.isNull() ? std::nullopt : std::optional<Duration>(milliseconds(column.getInt64()));
}

std::int64_t id_of(SQLite::Database& connection, const LoggedModel& model) {
  SQLite::Statement save(
      connection,
      "INSERT INTO request_models (name, footprint, weights, bits_per_weight, reload_ms, slots, "
      "priority, ttl_ms, pinned, stop_ms) VALUES (?,?,?,?,?,?,?,?,?,?) "
      "ON CONFLICT (name) DO UPDATE SET footprint = excluded.footprint, "
      "weights = excluded.weights, bits_per_weight = excluded.bits_per_weight, "
      "reload_ms = excluded.reload_ms, slots = excluded.slots, priority = excluded.priority, "
      "ttl_ms = excluded.ttl_ms, pinned = excluded.pinned, "
      "stop_ms = coalesce(excluded.stop_ms, stop_ms) RETURNING id");
  save.bind(1, model.name);
  save.bind(2, text_of(model.footprint));
  save.bind(3, model.weights.count);
  save.bind(4, model.bits_per_weight);
  save.bind(5, millis_of(model.reload));
  save.bind(6, model.slots);
  save.bind(7, model.priority);
  bind_duration(save, 8, model.ttl);
  save.bind(9, model.pinned ? 1 : 0);
  bind_duration(save, 10, model.stop);
  save.executeStep();
  return save.getColumn(0).getInt64();
}

void add_requests(SQLite::Database& connection, const RequestLog& batch,
                  const std::vector<std::int64_t>& ids) {
  SQLite::Statement add(connection,
                        "INSERT INTO requests (at_ms, model, user, waited_ms, served_ms, outcome, "
                        "cold) VALUES (?,?,?,?,?,?,?)");
  for (const LoggedRequest& request : batch.requests) {
    add.bind(1, request.at_ms);
    add.bind(2, ids.at(request.model));
    add.bind(3, request.user);
    add.bind(4, millis_of(request.waited));
    add.bind(5, millis_of(request.served));
    add.bind(6, static_cast<int>(request.outcome));
    add.bind(7, request.cold ? 1 : 0);
    add.exec();
    add.reset();
  }
}

void add_loads(SQLite::Database& connection, const RequestLog& batch,
               const std::vector<std::int64_t>& ids) {
  SQLite::Statement add(connection,
                        "INSERT INTO request_loads (at_ms, model, took_ms) VALUES (?,?,?)");
  for (const LoggedLoad& load : batch.loads) {
    add.bind(1, load.at_ms);
    add.bind(2, ids.at(load.model));
    add.bind(3, millis_of(load.took));
    add.exec();
    add.reset();
  }
}

// All ends are found by an index: nothing that stays is looked at.
void forget(SQLite::Database& connection, const Keep& keep) {
  for (const char* const table : {"requests", "request_loads", "server_starts"}) {
    const std::string from = std::string("DELETE FROM ") + table + " WHERE at_ms ";
    SQLite::Statement old(connection, from + "< ?");
    old.bind(1, keep.since_ms);
    old.exec();
    SQLite::Statement future(connection, from + "> ?");
    future.bind(1, keep.until_ms);
    future.exec();
  }
  for (const char* const table : {"requests", "request_loads"}) {
    SQLite::Statement many(connection, std::string("DELETE FROM ") + table +
                                           " WHERE id <= (SELECT max(id) FROM " + table + ") - ?");
    many.bind(1, keep.most_requests);
    many.exec();
  }
}

std::map<std::int64_t, std::uint32_t> load_models(SQLite::Database& connection, RequestLog& log) {
  std::map<std::int64_t, std::uint32_t> index_of;
  SQLite::Statement query(connection,
                          "SELECT id, name, footprint, weights, bits_per_weight, reload_ms, slots, "
                          "priority, ttl_ms, pinned, stop_ms FROM request_models ORDER BY name");
  while (query.executeStep()) {
    LoggedModel model;
    model.name = query.getColumn(1).getString();
    model.footprint = footprint_of(query.getColumn(2).getString());
    model.weights = Bytes(query.getColumn(3).getInt64());
    model.bits_per_weight = query.getColumn(4).getDouble();
    model.reload = milliseconds(query.getColumn(5).getInt64());
    model.slots = std::max(1, query.getColumn(6).getInt());
    model.priority = query.getColumn(7).getInt();
    model.ttl = duration_of(query.getColumn(8));
    model.pinned = query.getColumn(9).getInt() != 0;
    model.stop = duration_of(query.getColumn(10));
    index_of.emplace(query.getColumn(0).getInt64(), static_cast<std::uint32_t>(log.models.size()));
    log.models.push_back(std::move(model));
  }
  return index_of;
}

}  // namespace

void save_requests(SQLite::Database& connection, const RequestLog& batch, const Keep& keep) {
  SQLite::Transaction transaction(connection, SQLite::TransactionBehavior::IMMEDIATE);
  std::vector<std::int64_t> ids;
  ids.reserve(batch.models.size());
  for (const LoggedModel& model : batch.models) {
    ids.push_back(id_of(connection, model));
  }
  add_requests(connection, batch, ids);
  add_loads(connection, batch, ids);
  for (const std::int64_t at_ms : batch.starts_ms) {
    SQLite::Statement add(connection, "INSERT OR IGNORE INTO server_starts VALUES (?)");
    add.bind(1, at_ms);
    add.exec();
  }
  SQLite::Statement budget(connection, "INSERT OR REPLACE INTO request_budget VALUES (1, ?)");
  budget.bind(1, text_of(batch.budget));
  budget.exec();
  forget(connection, keep);
  transaction.commit();
}

void forget_requests(SQLite::Database& connection) {
  SQLite::Transaction transaction(connection, SQLite::TransactionBehavior::IMMEDIATE);
  for (const char* const table :
       {"requests", "request_loads", "request_models", "server_starts", "request_budget"}) {
    connection.exec(std::string("DELETE FROM ") + table);
  }
  transaction.commit();
}

void forget_unused_models(SQLite::Database& connection) {
  connection.exec(
      "DELETE FROM request_models WHERE id NOT IN (SELECT model FROM requests) AND "
      "id NOT IN (SELECT model FROM request_loads)");
}

RequestLog load_requests(SQLite::Database& connection, const Wanted& wanted) {
  // One picture: the server may write meanwhile.
  SQLite::Transaction transaction(connection, SQLite::TransactionBehavior::DEFERRED);
  RequestLog log;
  const std::map<std::int64_t, std::uint32_t> index_of = load_models(connection, log);
  SQLite::Statement rows(connection,
                         "SELECT at_ms, model, user, waited_ms, served_ms, outcome, cold FROM "
                         "requests WHERE at_ms >= ? ORDER BY at_ms DESC, id DESC LIMIT ?");
  rows.bind(1, wanted.since_ms);
  rows.bind(2, wanted.most);
  while (rows.executeStep()) {
    const auto model = index_of.find(rows.getColumn(1).getInt64());
    const int outcome = rows.getColumn(5).getInt();
    if (model == index_of.end() || outcome < 0 || outcome >= kOutcomes) {
      continue;
    }
    log.requests.push_back({rows.getColumn(0).getInt64(), model->second,
                            rows.getColumn(2).getUInt(),
                            milliseconds(std::max<std::int64_t>(0, rows.getColumn(3).getInt64())),
                            milliseconds(std::max<std::int64_t>(0, rows.getColumn(4).getInt64())),
                            static_cast<Outcome>(outcome), rows.getColumn(6).getInt() != 0});
  }
  std::reverse(log.requests.begin(), log.requests.end());
  const std::int64_t all = connection.execAndGet("SELECT count(*) FROM requests").getInt64();
  const auto read = static_cast<std::int64_t>(log.requests.size());
  log.older = static_cast<std::uint64_t>(std::max<std::int64_t>(0, all - read));
  const std::int64_t from = log.requests.empty() ? wanted.since_ms : log.requests.front().at_ms;
  SQLite::Statement loads(connection,
                          "SELECT at_ms, model, took_ms FROM request_loads WHERE at_ms >= ? "
                          "ORDER BY at_ms, id");
  loads.bind(1, from);
  while (loads.executeStep()) {
    const auto model = index_of.find(loads.getColumn(1).getInt64());
    if (model != index_of.end()) {
      log.loads.push_back({loads.getColumn(0).getInt64(), model->second,
                           milliseconds(loads.getColumn(2).getInt64())});
    }
  }
  SQLite::Statement starts(connection,
                           "SELECT at_ms FROM server_starts WHERE at_ms >= ? ORDER BY at_ms");
  starts.bind(1, from);
  while (starts.executeStep()) {
    log.starts_ms.push_back(starts.getColumn(0).getInt64());
  }
  SQLite::Statement budget(connection, "SELECT footprint FROM request_budget");
  if (budget.executeStep()) {
    log.budget = footprint_of(budget.getColumn(0).getString());
  }
  return log;
}

}  // namespace hf::store
