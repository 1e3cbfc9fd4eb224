#pragma once
// The tables of the history file and the steps from each older form to the newest. Internal to
// src/store; SQL text only.

#include <array>

namespace hf::store {

// Step N brings a file from user_version N to N + 1. Never change a step that was released: add
// one.
inline constexpr std::array<const char*, 3> kMigrations{
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
    // 2 -> 3: what a child held on each card, as text (measurement.h)
    R"sql(
ALTER TABLE measurements ADD COLUMN card_high_water TEXT NOT NULL DEFAULT '';
)sql",
};

}  // namespace hf::store
