#include "sim/adversary_command.h"

#include <unistd.h>

#include <chrono>

#include "sim/adversary.h"

namespace hf::sim {
namespace {

// More failures than this say nothing new.
constexpr std::size_t kShownFailures = 3;

unsigned long long count(std::uint64_t n) {
  return n;
}

void print_json(const Found& found, double elapsed_s, std::FILE* out) {
  std::fprintf(out,
               "{\"ok\":%s,\"cases\":%llu,\"climbs\":%llu,\"seconds\":%.1f,"
               "\"worst_wait_over_bound\":%.6f,\"worst_seed\":%llu,"
               "\"worst_wait_over_latest_bound\":%.6f,\"records\":[",
               found.failures.empty() ? "true" : "false", count(found.cases), count(found.climbs),
               elapsed_s, found.highest.verdict.told, count(found.highest.seed), found.worst);
  const char* separator = "";
  for (const Record& record : found.records) {
    std::fprintf(out, "%s{\"seed\":%llu,\"ratio\":%.6f}", separator, count(record.seed),
                 record.told);
    separator = ",";
  }
  std::fprintf(out, "],\"failures\":[");
  separator = "";
  for (const Climb& failure : found.failures) {
    std::fprintf(out, "%s{\"seed\":%llu,\"cases\":%llu,\"violation\":\"%s\"}", separator,
                 count(failure.seed), count(failure.cases), failure.verdict.violation.c_str());
    separator = ",";
  }
  std::fprintf(out, "]}\n");
}

void print_text(const Found& found, double elapsed_s, std::FILE* out) {
  std::fprintf(out, "%llu adversarial searches in %llu climbs, %.1f s\n", count(found.cases),
               count(found.climbs), elapsed_s);
  std::fprintf(out,
               "the longest wait: %.2f%% of the bound that was published when it began (seed %llu),"
               " %.2f%% of the latest that was published for it\n",
               100 * found.highest.verdict.told, count(found.highest.seed), 100 * found.worst);
  for (std::size_t i = 0; i < found.failures.size() && i < kShownFailures; ++i) {
    const Climb& failure = found.failures[i];
    std::fprintf(out, "seed %llu, case %llu: %s\n", count(failure.seed), count(failure.cases),
                 failure.verdict.violation.c_str());
  }
  if (found.failures.empty()) {
    std::fprintf(out, "no wait above its published bound\n");
  } else {
    std::fprintf(out,
                 "%llu climbs broke a promise; the first: "
                 "holdfast simulate --search %llu --seed %llu --show\n",
                 count(found.failures.size()), count(kClimb), count(found.failures.front().seed));
  }
}

}  // namespace

int run_search(const SimulateOptions& options, std::FILE* out) {
  // tidy: allow(pure-core) only for the figure of seconds in the summary
  const auto start = std::chrono::steady_clock::now();
  const bool terminal = isatty(STDERR_FILENO) == 1;
  SearchPlan plan;
  plan.first_seed = options.seed;
  plan.cases = options.search;
  plan.threads = options.threads;
  plan.mutant = options.mutant;
  const Found found = search(plan, [&](std::uint64_t done) {
    if (terminal) {
      std::fprintf(stderr, "\r%llu of %llu cases", count(done), count(plan.cases));
    }
  });
  if (terminal) {
    std::fprintf(stderr, "\r\033[K");
  }
  // tidy: allow(pure-core) the end of the same measurement
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (options.json) {
    print_json(found, elapsed.count(), out);
  } else {
    print_text(found, elapsed.count(), out);
  }
  if (options.trace) {
    const Climb& shown = found.failures.empty() ? found.highest : found.failures.front();
    std::fprintf(out, "%s", in_words(shown.best).c_str());
    evaluate(shown.best, options.mutant, true);
  }
  return found.failures.empty() ? 0 : 1;
}

}  // namespace hf::sim
