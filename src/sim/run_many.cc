#include "sim/run_many.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <utility>

namespace hf::sim {

void Summary::add(Outcome outcome) {
  ++seeds;
  bound_seeds += outcome.bound_checked ? 1 : 0;
  events += outcome.events;
  virtual_time += outcome.virtual_time;
  counters.add(outcome.counters);
  coverage.add(outcome.coverage);
  if (!outcome.ok) {
    failures.push_back(std::move(outcome));
  }
}

void Summary::add(Summary other) {
  seeds += other.seeds;
  bound_seeds += other.bound_seeds;
  events += other.events;
  virtual_time += other.virtual_time;
  counters.add(other.counters);
  coverage.add(other.coverage);
  std::move(other.failures.begin(), other.failures.end(), std::back_inserter(failures));
}

Summary run_many(const Sweep& sweep, const std::function<void(std::uint64_t)>& progress) {
  std::atomic<std::uint64_t> next{0};
  std::atomic<std::uint64_t> done{0};
  const auto work = [&](Summary& mine, bool tell) {
    for (std::uint64_t i = next++; i < sweep.count; i = next++) {
      Options options;
      options.seed = sweep.first_seed + i;
      options.events = sweep.events;
      options.mutant = sweep.mutant;
      mine.add(run_seed(options));
      ++done;
      if (tell && progress) {
        progress(done);
      }
    }
  };
  std::vector<Summary> parts(std::max(1U, sweep.threads));
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 1; t < parts.size(); ++t) {
      threads.emplace_back([&work, &part = parts[t]] { work(part, false); });
    }
    work(parts[0], true);
  }
  if (progress) {
    progress(done);
  }
  Summary summary;
  for (Summary& part : parts) {
    summary.add(std::move(part));
  }
  std::sort(summary.failures.begin(), summary.failures.end(),
            [](const Outcome& a, const Outcome& b) { return a.seed < b.seed; });
  return summary;
}

}  // namespace hf::sim
