#include "sim/trace.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "sim/csv.h"
#include "sim/random.h"

namespace hf::sim {
namespace {

// Ninety years: a Unix time is well inside, and nanoseconds of it plus any bound fit 63 bits.
constexpr double kLatest = 3.0e9;
// No request has a billion tokens; its service time would leave the clock.
constexpr std::int64_t kMostTokens = 1'000'000'000;
constexpr std::uint64_t kPoissonStream = 11;

std::optional<TimePoint> time_of(std::string_view text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || end != text.data() + text.size() ||
      !(seconds >= 0 && seconds <= kLatest)) {
    return std::nullopt;
  }
  return TimePoint(duration_of_seconds(seconds));
}

std::optional<std::int64_t> tokens_of(std::string_view text) {
  std::int64_t tokens = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), tokens);
  if (error != std::errc{} || end != text.data() + text.size() || tokens < 0 ||
      tokens > kMostTokens) {
    return std::nullopt;
  }
  return tokens;
}

Result<TraceRow> row_of(const CsvReader& csv) {
  const auto at = time_of(csv.field(0));
  const auto prompt = tokens_of(csv.field(3));
  const auto output = tokens_of(csv.field(4));
  if (!at) {
    return fail(csv.wrong("t_seconds: not a time in seconds: \"" + csv.field(0) + "\""));
  }
  if (csv.field(1).empty()) {
    return fail(csv.wrong("model: the name is empty"));
  }
  if (!prompt) {
    return fail(csv.wrong("prompt_tokens: not a count: \"" + csv.field(3) + "\""));
  }
  if (!output) {
    return fail(csv.wrong("output_tokens: not a count: \"" + csv.field(4) + "\""));
  }
  TraceRow row;
  row.at = *at;
  row.prompt_tokens = *prompt;
  row.output_tokens = *output;
  return row;
}

bool earlier(const TraceRow& a, const TraceRow& b) {
  return a.at < b.at;
}

}  // namespace

Result<Trace> parse_trace(std::string_view text, const std::string& name) {
  Result<CsvReader> csv =
      CsvReader::open(text, name, {"t_seconds", "model", "user", "prompt_tokens", "output_tokens"});
  if (!csv) {
    return fail(csv.error());
  }
  Trace trace;
  std::map<std::string, std::uint32_t> models;  // name -> order of appearance
  std::map<std::string, std::uint32_t> users;
  while (true) {
    const Result<bool> more = csv->next();
    if (!more) {
      return fail(more.error());
    }
    if (!*more) {
      break;
    }
    Result<TraceRow> row = row_of(*csv);
    if (!row) {
      return fail(row.error());
    }
    const auto next_model = static_cast<std::uint32_t>(models.size());
    const auto next_user = static_cast<std::uint32_t>(users.size() + 1);
    row->model = ModelId(models.try_emplace(csv->field(1), next_model).first->second);
    row->user = UserId(users.try_emplace(csv->field(2), next_user).first->second);
    trace.rows.push_back(*row);
  }
  if (trace.rows.empty()) {
    return fail(Errc::Corrupt, name + ": there is no request in it");
  }
  std::vector<ModelId> by_name(models.size());
  for (const auto& [model, appeared] : models) {
    by_name[appeared] = ModelId(static_cast<std::uint32_t>(trace.models.size()));
    trace.models.push_back(model);
  }
  for (TraceRow& row : trace.rows) {
    row.model = by_name[row.model.value];
  }
  std::stable_sort(trace.rows.begin(), trace.rows.end(), earlier);
  trace.users = users.size();
  return trace;
}

Trace poisson_trace(const PoissonUsers& users, std::uint64_t seed) {
  Trace trace;
  trace.users = users.users;
  const Duration mean_gap = duration_of_seconds(users.users / users.requests_per_second);
  for (std::uint32_t i = 0; i < users.users; ++i) {
    trace.models.push_back("model-" + std::to_string(1000 + i));  // names ascend like indices
    Random random(seed, kPoissonStream + i);
    TimePoint at{random.exponential(mean_gap)};
    while (at < TimePoint(users.span)) {
      trace.rows.push_back(
          TraceRow{at, ModelId(i), UserId(i + 1), users.prompt_tokens, users.output_tokens});
      at += random.exponential(mean_gap);
    }
  }
  std::stable_sort(trace.rows.begin(), trace.rows.end(), earlier);
  return trace;
}

}  // namespace hf::sim
