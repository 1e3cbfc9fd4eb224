#pragma once
// The tables of recorded requests: one batch in, a history out. Internal to src/store, apart from
// store.cc because the two have nothing in common but the file. They throw like all of SQLiteCpp;
// store.cc turns that into errors.

#include "store/request_log.h"

namespace SQLite {
class Database;
}

namespace hf::store {

// All of it or nothing; forgets what `keep` does not want, in time proportional to what goes.
void save_requests(SQLite::Database& connection, const RequestLog& batch, const Keep& keep);

// Everything that save_requests wrote.
void forget_requests(SQLite::Database& connection);

// Those of which no row is left. Reads the whole tables: for the opening.
void forget_unused_models(SQLite::Database& connection);

RequestLog load_requests(SQLite::Database& connection, const Wanted& wanted);

}  // namespace hf::store
