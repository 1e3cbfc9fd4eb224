#include "sim/simulate_command.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <utility>

#include "base/units.h"
#include "sim/adversary_command.h"
#include "sim/run_many.h"

namespace hf::sim {
namespace {

// More failures than this say nothing new.
constexpr std::size_t kShownFailures = 3;

std::string json_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else {
      quoted += c;  // names and numbers of our own: no other control characters
    }
  }
  return quoted + "\"";
}

void print_json_list(const char* name, const std::vector<std::string>& texts, std::FILE* out) {
  std::fprintf(out, ",\"%s\":[", name);
  const char* separator = "";
  for (const std::string& text : texts) {
    std::fprintf(out, "%s%s", separator, json_string(text).c_str());
    separator = ",";
  }
  std::fprintf(out, "]");
}

void print_json(const Summary& s, std::FILE* out) {
  const Counters& c = s.counters;
  const std::array<std::pair<const char*, std::uint64_t>, 13> numbers{{
      {"seeds", s.seeds},
      {"bound_seeds", s.bound_seeds},
      {"events", s.events},
      {"loads", c.loads},
      {"stops", c.stops},
      {"grants", c.grants},
      {"refusals", c.refusals},
      {"cuts", c.cuts},
      {"crashes", c.crashes},
      {"failed_loads", c.failed_loads},
      {"gates_shut", c.gates_shut},
      {"gates_opened", c.gates_opened},
      {"bounds_checked", c.bounds_checked},
  }};
  std::fprintf(out, "{\"ok\":%s", s.failures.empty() ? "true" : "false");
  for (const auto& [name, value] : numbers) {
    std::fprintf(out, ",\"%s\":%llu", name, static_cast<unsigned long long>(value));
  }
  std::fprintf(out, ",\"virtual_s\":%.3f,\"worst_wait_over_bound\":%.4f,\"longest_wait_s\":%.3f",
               seconds_of(s.virtual_time), c.worst_wait, seconds_of(c.longest_wait));
  std::fprintf(out, ",\"failures\":[");
  const char* separator = "";
  for (const Outcome& failure : s.failures) {
    std::fprintf(out, "%s{\"seed\":%llu,\"events\":%llu,\"violation\":%s}", separator,
                 static_cast<unsigned long long>(failure.seed),
                 static_cast<unsigned long long>(failure.events),
                 json_string(failure.violation).c_str());
    separator = ",";
  }
  std::fprintf(out, "]");
  print_json_list("coverage", s.coverage.marks(), out);
  print_json_list("coverage_missing", s.coverage.missing(), out);
  std::fprintf(out, "}\n");
}

void print_text(const Summary& s, double elapsed_s, std::FILE* out) {
  for (std::size_t i = 0; i < s.failures.size() && i < kShownFailures; ++i) {
    std::fprintf(out, "%s\n", s.failures[i].report.c_str());
  }
  const Counters& c = s.counters;
  const auto count = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  std::fprintf(out, "%llu seeds, %llu events, %s of virtual time in %.1f s\n", count(s.seeds),
               count(s.events), format_duration(s.virtual_time).c_str(), elapsed_s);
  std::fprintf(out,
               "loads %llu (failed %llu), stops %llu, crashes %llu, gates %llu shut %llu opened\n",
               count(c.loads), count(c.failed_loads), count(c.stops), count(c.crashes),
               count(c.gates_shut), count(c.gates_opened));
  std::fprintf(out, "grants %llu, refusals %llu, answers cut %llu, longest wait %s\n",
               count(c.grants), count(c.refusals), count(c.cuts),
               format_duration(c.longest_wait).c_str());
  std::fprintf(out,
               "published bounds kept in %llu seeds: %llu waits, the longest %.0f%% of its bound\n",
               count(s.bound_seeds), count(c.bounds_checked), 100 * c.worst_wait);
  if (s.failures.empty()) {
    std::fprintf(out, "all promises held\n");
    return;
  }
  std::fprintf(out, "%llu seeds broke a promise; the first: holdfast simulate --seed %llu\n",
               count(s.failures.size()), count(s.failures.front().seed));
}

void print_coverage(const Coverage& coverage, std::FILE* out) {
  const std::vector<std::string> missing = coverage.missing();
  std::fprintf(out, "%zu of %zu coverage marks hit\n", required_marks().size() - missing.size(),
               required_marks().size());
  for (const std::string& mark : missing) {
    std::fprintf(out, "never: %s\n", mark.c_str());
  }
}

}  // namespace

std::optional<core::Mutant> mutant_named(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, core::Mutant>, 15> kNames{{
      {"none", core::Mutant::None},
      {"ignore-leases", core::Mutant::IgnoreLeases},
      {"ignore-loading", core::Mutant::IgnoreLoading},
      {"open-gate-with-tickets", core::Mutant::OpenGateWithTickets},
      {"no-owner", core::Mutant::NoOwner},
      {"lift-by-overtaking", core::Mutant::LiftByOvertaking},
      {"gate-at-once", core::Mutant::GateAtOnce},
      {"gate-after-queue", core::Mutant::GateAfterQueue},
      {"only-gates-bite", core::Mutant::OnlyGatesBite},
      {"line-by-oldest-ticket", core::Mutant::LineByOldestTicket},
      {"idle-members-left-open", core::Mutant::IdleMembersLeftOpen},
      {"draining-not-counted", core::Mutant::DrainingNotCounted},
      {"patience-of-head-only", core::Mutant::PatienceOfHeadOnly},
      {"small-always-overtake", core::Mutant::SmallAlwaysOvertake},
      {"bound-counts-loads-aside", core::Mutant::BoundCountsLoadsAside},
  }};
  for (const auto& [known, mutant] : kNames) {
    if (known == name) {
      return mutant;
    }
  }
  return std::nullopt;
}

int run_simulate(const SimulateOptions& options, std::FILE* out) {
  if (options.search > 0) {
    return run_search(options, out);
  }
  // tidy: allow(pure-core) only for the figure of events per second in the summary
  const auto start = std::chrono::steady_clock::now();
  const bool terminal = isatty(STDERR_FILENO) == 1;
  Summary summary;
  if (options.seeds == 1) {
    summary.add(run_seed({.seed = options.seed,
                          .events = options.events,
                          .mutant = options.mutant,
                          .trace = options.trace}));
  } else {
    Sweep sweep;
    sweep.first_seed = options.seed;
    sweep.count = options.seeds;
    sweep.events = options.events;
    sweep.threads = options.threads;
    sweep.mutant = options.mutant;
    const auto total = static_cast<unsigned long long>(options.seeds);
    summary = run_many(sweep, [&](std::uint64_t done) {
      if (terminal) {
        std::fprintf(stderr, "\r%llu of %llu seeds", static_cast<unsigned long long>(done), total);
      }
    });
    if (terminal) {
      std::fprintf(stderr, "\r\033[K");
    }
  }
  // tidy: allow(pure-core) the end of the same measurement
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (options.json) {
    print_json(summary, out);
  } else {
    print_text(summary, elapsed.count(), out);
    print_coverage(summary.coverage, out);
  }
  const bool covered = !options.require_coverage || summary.coverage.missing().empty();
  return summary.failures.empty() && covered ? 0 : 1;
}

}  // namespace hf::sim
