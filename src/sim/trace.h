#pragma once
// A recorded stream of requests: who asked which model when, and how many tokens it took. Values;
// read from CSV with the columns t_seconds, model, user, prompt_tokens, output_tokens. Any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"

namespace hf::sim {

struct TraceRow {
  TimePoint at;
  ModelId model;  // index into Trace::models
  UserId user;    // 1, 2, … in the order of their first appearance in the file
  std::int64_t prompt_tokens = 0;
  std::int64_t output_tokens = 0;
  std::optional<Duration> service{};   // as measured; nullopt: by the tokens, sim/physics.h
  std::optional<Duration> patience{};  // its client leaves when it was not served by then
  // Its client asked only when an earlier row (by index) had ended: it comes `think` after that
  // end, and `at` says nothing.
  std::optional<std::size_t> after{};
  Duration think{};
};

struct Trace {
  std::vector<std::string> models;  // by name, ascending
  std::vector<TraceRow> rows;       // by time, ascending; those of one moment as in the file
  std::size_t users = 0;
};

// Rows may come in any order. `name` is the file's, for errors.
// Errors: Corrupt, "NAME:LINE: …", for a row that cannot be meant; and when there is no row.
Result<Trace> parse_trace(std::string_view text, const std::string& name);

// Users who each ask one model of their own at random moments (Poisson), with equal requests: the
// smallest trace that makes models fight for memory.
struct PoissonUsers {
  std::uint32_t users = 2;           // and models
  double requests_per_second = 0.5;  // of all together
  Duration span = std::chrono::hours(2);
  std::int64_t prompt_tokens = 500;
  std::int64_t output_tokens = 100;
};
Trace poisson_trace(const PoissonUsers& users, std::uint64_t seed);

}  // namespace hf::sim
