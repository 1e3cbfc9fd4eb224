// Recorded traces through the scheduler: how long models are loaded and how long people wait, by
// eviction policy.
//
//   replay [--shuffles N] [FILE or FOLDER …]    default: 10 shuffles of bench/traces
//
// For each trace and each of 24, 48 and 96 GB, over N shuffles of the sizes (seeds 1 … N): one JSON
// line a policy on standard output, {"bench", "trace", "budget_gb", "policy", "load_s", "over_lru",
// "loads", "wait_mean_s", "wait_p99_s", "bound_violations", …}, means over the shuffles; `over_lru`
// is the ratio of the mean load seconds to LRU's. A table of the same for people goes to standard
// error. Then A-B-A-B, which needs no file. Arrival order is a baseline of this program alone
// (arrival_order.h).
#include "sim/replay.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "bench/arrival_order.h"
#include "sim/physics.h"
#include "sim/replay_report.h"

namespace {

using namespace hf;
using namespace hf::sim;
using core::VictimPolicy;
namespace fs = std::filesystem;

constexpr std::int64_t kGb = 1'000'000'000;
constexpr std::array<std::int64_t, 3> kBudgetsGb{24, 48, 96};
// LRU first: the others are compared with it.
constexpr std::array<VictimPolicy, 5> kPolicies{VictimPolicy::Lru, VictimPolicy::Holdfast,
                                                VictimPolicy::Lfu, VictimPolicy::Gdsf,
                                                VictimPolicy::Largest};
constexpr std::string_view kArrivalOrder = "arrival-order";

// Means over the shuffles, and sums where the name says so.
struct Row {
  double load_s = 0;
  double loads = 0;
  double wait_mean_s = 0;
  double wait_p99_s = 0;
  double wait_max_s = 0;
  double worst_over_lru = 0;  // of one shuffle
  std::uint64_t violations = 0;
  double worst_wait_over_bound = 0;
};

void add(Row& row, std::uint64_t loads, Duration load_time, const WaitFigures& wait, double share) {
  row.load_s += share * seconds_of(load_time);
  row.loads += share * static_cast<double>(loads);
  row.wait_mean_s += share * seconds_of(wait.mean);
  row.wait_p99_s += share * seconds_of(wait.p99);
  row.wait_max_s = std::max(row.wait_max_s, seconds_of(wait.max));
}

// null: LRU was not run beside it (A-B-A-B), or nothing is published (arrival order).
std::string number(bool known, double value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.4f", value);
  return known ? buffer.data() : "null";
}

void print(const std::string& trace, std::int64_t budget_gb, std::string_view policy,
           const Row& row, double lru_load_s, int shuffles) {
  const char* commit = std::getenv("HOLDFAST_COMMIT");
  const bool beside_lru = lru_load_s > 0;
  const std::string over_lru = number(beside_lru, row.load_s / lru_load_s);
  const std::string worst = number(beside_lru, row.worst_over_lru);
  const bool publishes = policy != kArrivalOrder;
  const std::string late = publishes ? std::to_string(row.violations) : "null";
  const std::string named(policy);
  std::printf(
      "{\"bench\":\"replay\",\"commit\":\"%s\",\"trace\":\"%s\",\"budget_gb\":%lld,"
      "\"shuffles\":%d,\"policy\":\"%s\",\"load_s\":%.1f,\"over_lru\":%s,"
      "\"worst_shuffle_over_lru\":%s,\"loads\":%.1f,\"wait_mean_s\":%.3f,\"wait_p99_s\":%.2f,"
      "\"wait_max_s\":%.1f,\"bound_violations\":%s,\"worst_wait_over_bound\":%s}\n",
      commit == nullptr ? "unknown" : commit, trace.c_str(), static_cast<long long>(budget_gb),
      shuffles, named.c_str(), row.load_s, over_lru.c_str(), worst.c_str(), row.loads,
      row.wait_mean_s, row.wait_p99_s, row.wait_max_s, late.c_str(),
      number(publishes, row.worst_wait_over_bound).c_str());
  std::fflush(stdout);
  std::fprintf(stderr, "%-16s %4lld %-14s %9.0f %7s %7s %8.0f %10.2f %9.1f %9.1f %5s\n",
               trace.c_str(), static_cast<long long>(budget_gb), named.c_str(), row.load_s,
               over_lru.c_str(), worst.c_str(), row.loads, row.wait_mean_s, row.wait_p99_s,
               row.wait_max_s, late.c_str());
}

void print_heading() {
  std::fprintf(stderr, "%-16s %4s %-14s %9s %7s %7s %8s %10s %9s %9s %5s\n", "trace", "GB",
               "policy", "load s", "/ LRU", "worst", "loads", "wait mean", "p99", "max", "late");
}

// Returns the ratio of holdfast's load seconds to LRU's.
double measure(const std::string& name, const Trace& trace, std::int64_t budget_gb, int shuffles) {
  const Bytes budget(budget_gb * kGb);
  std::array<Row, kPolicies.size()> rows;
  Row arrival_order;
  for (int seed = 1; seed <= shuffles; ++seed) {
    ReplayOptions options;
    options.limits.budget = core::Footprint::host(budget);
    options.sizes = sizes_by_seed(trace.models.size(), budget, static_cast<std::uint64_t>(seed));
    const double share = 1.0 / shuffles;
    double lru_load_s = 0;
    for (std::size_t p = 0; p < kPolicies.size(); ++p) {
      options.limits.policy = kPolicies[p];
      const ReplayResult result = replay(trace, options);
      add(rows[p], result.loads, result.load_time, result.wait, share);
      rows[p].violations += result.late.size();
      rows[p].worst_wait_over_bound =
          std::max(rows[p].worst_wait_over_bound, result.worst_wait_over_bound);
      const double load_s = seconds_of(result.load_time);
      lru_load_s = p == 0 ? load_s : lru_load_s;
      rows[p].worst_over_lru = std::max(rows[p].worst_over_lru, load_s / lru_load_s);
    }
    const bench::ArrivalOrder fifo = bench::ArrivalOrderBox(options.sizes, budget).serve(trace);
    add(arrival_order, fifo.loads, fifo.load_time, wait_figures(fifo.waits), share);
    const double over_lru = seconds_of(fifo.load_time) / lru_load_s;
    arrival_order.worst_over_lru = std::max(arrival_order.worst_over_lru, over_lru);
  }
  for (std::size_t p = 0; p < kPolicies.size(); ++p) {
    print(name, budget_gb, name_of(kPolicies[p]), rows[p], rows[0].load_s, shuffles);
  }
  print(name, budget_gb, kArrivalOrder, arrival_order, rows[0].load_s, shuffles);
  return rows[1].load_s / rows[0].load_s;
}

// Two models of 10 GB, 16 GB for both, two people with 500 + 100 tokens, each on one model.
void measure_abab(int shuffles) {
  const Bytes budget(16 * kGb);
  for (const double rate : {0.05, 0.2, 0.5, 1.0}) {
    std::array<char, 32> name{};
    std::snprintf(name.data(), name.size(), "a-b-a-b %.2f/s", rate);
    Row holdfast;
    Row arrival_order;
    for (int seed = 1; seed <= shuffles; ++seed) {
      PoissonUsers users;
      users.requests_per_second = rate;
      const Trace trace = poisson_trace(users, static_cast<std::uint64_t>(seed));
      ReplayOptions options;
      options.limits.budget = core::Footprint::host(budget);
      options.sizes = {Bytes(10 * kGb), Bytes(10 * kGb)};
      const ReplayResult result = replay(trace, options);
      add(holdfast, result.loads, result.load_time, result.wait, 1.0 / shuffles);
      holdfast.violations += result.late.size();
      holdfast.worst_wait_over_bound =
          std::max(holdfast.worst_wait_over_bound, result.worst_wait_over_bound);
      const bench::ArrivalOrder fifo = bench::ArrivalOrderBox(options.sizes, budget).serve(trace);
      add(arrival_order, fifo.loads, fifo.load_time, wait_figures(fifo.waits), 1.0 / shuffles);
    }
    print(name.data(), 16, "holdfast", holdfast, 0, shuffles);
    print(name.data(), 16, kArrivalOrder, arrival_order, 0, shuffles);
  }
}

std::vector<fs::path> traces_in(const fs::path& place) {
  std::vector<fs::path> files;
  std::error_code error;
  if (fs::is_directory(place, error)) {
    for (const fs::directory_entry& entry : fs::directory_iterator(place, error)) {
      if (entry.path().extension() == ".csv") {
        files.push_back(entry.path());
      }
    }
    std::sort(files.begin(), files.end());
  } else if (fs::exists(place, error)) {
    files.push_back(place);
  }
  if (files.empty()) {
    std::fprintf(stderr, "replay: no trace at %s\n", place.c_str());
  }
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  int shuffles = 10;
  std::vector<fs::path> places;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--shuffles") == 0 && i + 1 < argc) {
      shuffles = std::max(1, std::atoi(argv[++i]));
    } else {
      places.emplace_back(argv[i]);
    }
  }
  if (places.empty()) {
    places.emplace_back("bench/traces");
  }
  print_heading();
  double sum = 0;
  double worst = 0;
  int pairs = 0;
  for (const fs::path& place : places) {
    for (const fs::path& file : traces_in(place)) {
      std::ifstream in(file, std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      const Result<Trace> trace = parse_trace(text, file.string());
      if (!trace) {
        std::fprintf(stderr, "replay: %s\n", trace.error().message.c_str());
        return 1;
      }
      for (const std::int64_t budget_gb : kBudgetsGb) {
        const double ratio = measure(file.stem().string(), *trace, budget_gb, shuffles);
        sum += ratio;
        worst = std::max(worst, ratio);
        ++pairs;
      }
    }
  }
  if (pairs > 0) {
    std::fprintf(stderr, "holdfast / LRU over %d pairs: mean %.3f, worst %.3f\n", pairs,
                 sum / pairs, worst);
  }
  measure_abab(shuffles);
}
