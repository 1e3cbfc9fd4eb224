#pragma once
// The tables of the history file and the steps from each older form to the newest. Internal to
// src/store; SQL text only.

#include <array>

namespace hf::store {

// Step N brings a file from user_version N to N + 1. Never change a step that was released: add
// one.
inline constexpr std::array<const char*, 5> kMigrations{
    // 0 -> 1
    R"sql(
CREATE TABLE model_stats (
  name TEXT PRIMARY KEY NOT NULL,
  use_count INTEGER NOT NULL,
  episodes REAL NOT NULL,
  episodes_at_ms INTEGER NOT NULL,
  last_use_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE measurements (
  file TEXT NOT NULL,
  options TEXT NOT NULL,
  engine TEXT NOT NULL,
  load_seconds_cached REAL,
  load_seconds_cold REAL,
  high_water_bytes INTEGER NOT NULL,
  fully_exercised INTEGER NOT NULL,
  slowest_decode REAL,
  slowest_prefill REAL,
  saved_ms INTEGER NOT NULL,
  PRIMARY KEY (file, options, engine)
) WITHOUT ROWID;
)sql",
    // 1 -> 2: forgetting the oldest rows must not read the whole table
    R"sql(
CREATE INDEX measurements_by_age ON measurements (saved_ms);
)sql",
    // 2 -> 3: requests, for `holdfast advise`. Rows come in the order of their ends and are kept by
    // the order of arrivals, hence both keys. A footprint is text: bytes per memory domain.
    R"sql(
CREATE TABLE request_models (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  footprint TEXT NOT NULL,
  weights INTEGER NOT NULL,
  bits_per_weight REAL NOT NULL,
  reload_ms INTEGER NOT NULL,
  stop_ms INTEGER,
  slots INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  ttl_ms INTEGER,
  pinned INTEGER NOT NULL
);
CREATE TABLE requests (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  model INTEGER NOT NULL,
  user INTEGER NOT NULL,
  waited_ms INTEGER NOT NULL,
  served_ms INTEGER NOT NULL,
  outcome INTEGER NOT NULL,
  cold INTEGER NOT NULL
);
CREATE INDEX requests_by_age ON requests (at_ms);
CREATE TABLE request_loads (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  model INTEGER NOT NULL,
  took_ms INTEGER NOT NULL
);
CREATE INDEX request_loads_by_age ON request_loads (at_ms);
CREATE TABLE server_starts (at_ms INTEGER PRIMARY KEY);
CREATE TABLE request_budget (one INTEGER PRIMARY KEY, footprint TEXT NOT NULL);
)sql",
    // 3 -> 4: what a child held on each card, as text (measurement.h)
    R"sql(
ALTER TABLE measurements ADD COLUMN card_high_water TEXT NOT NULL DEFAULT '';
)sql",
    // 4 -> 5: which load times were computed from loads that were so in part. Of older ones nobody
    // knows, and nothing is called measured that may not have been.
    R"sql(
ALTER TABLE measurements ADD COLUMN load_cached_estimated INTEGER NOT NULL DEFAULT 1;
ALTER TABLE measurements ADD COLUMN load_cold_estimated INTEGER NOT NULL DEFAULT 1;
)sql",
};

}  // namespace hf::store
