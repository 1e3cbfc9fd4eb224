#include "sim/adversary.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <thread>
#include <utility>

namespace hf::sim {
namespace {

constexpr std::uint64_t kAdversaryStream = 6;
// A climb first looks at this many random cases and goes on from the best of them.
constexpr std::uint64_t kFirstLook = 20;
// How much worse a step may be that is taken all the same, at the start; it falls to nothing.
constexpr double kTemperature = 0.02;

bool higher(const Record& a, const Record& b) {
  return a.told != b.told ? a.told > b.told : a.seed < b.seed;
}

Record record_of(const Climb& climb) {
  return {climb.seed, climb.verdict.told};
}

void keep_highest(std::vector<Record>& records) {
  std::sort(records.begin(), records.end(), higher);
  records.resize(std::min(records.size(), kRecords));
}

void merge(Found& all, Climb climb) {
  all.worst = std::max(all.worst, climb.worst);
  all.cases += climb.cases;
  all.records.push_back(record_of(climb));
  if (!climb.verdict.ok()) {
    all.failures.push_back(climb);
  }
  if (++all.climbs == 1 || higher(record_of(climb), record_of(all.highest))) {
    all.highest = std::move(climb);
  }
}

void merge(Found& all, Found part) {
  if (part.climbs == 0) {
    return;
  }
  if (all.climbs == 0 || higher(record_of(part.highest), record_of(all.highest))) {
    all.highest = std::move(part.highest);
  }
  all.worst = std::max(all.worst, part.worst);
  all.climbs += part.climbs;
  all.cases += part.cases;
  std::move(part.records.begin(), part.records.end(), std::back_inserter(all.records));
  std::move(part.failures.begin(), part.failures.end(), std::back_inserter(all.failures));
}

}  // namespace

Climb climb(std::uint64_t seed, std::uint64_t cases, core::Mutant mutant) {
  Random random(seed, kAdversaryStream);
  Climb climb;
  climb.seed = seed;
  Case here;
  double height = -1;
  while (climb.cases < cases && climb.verdict.ok()) {
    const bool looking = climb.cases < kFirstLook;
    Case next = looking ? draw_case(random) : here;
    if (!looking) {
      mutate(next, random);
    }
    Verdict verdict = evaluate(next, mutant);
    climb.worst = std::max(climb.worst, verdict.worst);
    ++climb.cases;
    const double left = 1 - static_cast<double>(climb.cases) / static_cast<double>(cases);
    const double give = looking ? 0 : kTemperature * left * random.unit();
    if (verdict.told >= height - give) {
      here = next;
      height = verdict.told;
    }
    if (climb.cases == 1 || !verdict.ok() || verdict.told > climb.verdict.told) {
      climb.best = std::move(next);
      climb.verdict = std::move(verdict);
    }
  }
  return climb;
}

Found search(const SearchPlan& plan, const std::function<void(std::uint64_t)>& progress) {
  const std::uint64_t climbs = (plan.cases + kClimb - 1) / kClimb;
  std::atomic<std::uint64_t> next{0};
  std::atomic<std::uint64_t> done{0};
  const auto work = [&](Found& mine, bool tell) {
    for (std::uint64_t i = next++; i < climbs; i = next++) {
      const std::uint64_t cases = std::min(kClimb, plan.cases - i * kClimb);
      merge(mine, climb(plan.first_seed + i, cases, plan.mutant));
      done += cases;
      if (tell && progress) {
        progress(done);
      }
    }
  };
  std::vector<Found> parts(std::max(1U, plan.threads));
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 1; t < parts.size(); ++t) {
      threads.emplace_back([&work, &part = parts[t]] { work(part, false); });
    }
    work(parts[0], true);
  }
  Found found;
  for (Found& part : parts) {
    merge(found, std::move(part));
  }
  keep_highest(found.records);
  std::sort(found.failures.begin(), found.failures.end(),
            [](const Climb& a, const Climb& b) { return a.seed < b.seed; });
  return found;
}

}  // namespace hf::sim
