#include "advise/advice.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/assert.h"

namespace hf::advise {
namespace {

// Pairs are tried among that many of the best single pins.
constexpr std::size_t kPairedPins = 3;
// The share of what more memory can bring that is enough to stop asking for more.
constexpr double kMost = 0.8;

// The thread that was called tells of the progress, so it takes part in the work.
std::vector<Replayed> replay_all(const Case& history, const std::vector<Scenario>& scenarios,
                                 unsigned threads,
                                 const std::function<void(const Progress&)>& progress) {
  std::vector<Replayed> replayed(scenarios.size());
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> done{0};
  const auto work = [&](bool tell) {
    for (std::size_t i = next++; i < scenarios.size(); i = next++) {
      replayed[i] = {scenarios[i], figures_of(history, scenarios[i])};
      ++done;
      if (tell && progress) {
        progress({done, scenarios.size()});
      }
    }
  };
  {
    std::vector<std::jthread> others;
    for (unsigned t = 1; t < std::min<std::size_t>(threads, scenarios.size()); ++t) {
      others.emplace_back([&work] { work(false); });
    }
    work(true);
  }
  return replayed;
}

Duration cost_of(const Figures& figures) {
  return figures.waited + kUnservedCosts * static_cast<Duration::rep>(figures.unserved);
}

std::vector<Scenario> pairs_of_pins(const Case& history, const std::vector<Replayed>& replayed) {
  std::vector<const Replayed*> pins;
  for (const Replayed& one : replayed) {
    if (one.scenario.kind == Kind::Pin) {
      pins.push_back(&one);
    }
  }
  std::stable_sort(pins.begin(), pins.end(), [](const Replayed* a, const Replayed* b) {
    return cost_of(a->figures) < cost_of(b->figures);
  });
  pins.resize(std::min(pins.size(), kPairedPins));
  std::vector<Scenario> pairs;
  for (std::size_t i = 0; i < pins.size(); ++i) {
    for (std::size_t k = i + 1; k < pins.size(); ++k) {
      const std::size_t a = pins[i]->scenario.models.front();
      const std::size_t b = pins[k]->scenario.models.front();
      const core::Footprint both = history.models[a].footprint + history.models[b].footprint;
      if (both.fits_in(history.limits.budget)) {
        pairs.push_back({Kind::Pin, 1, {a, b}, {}});
      }
    }
  }
  return pairs;
}

class Choice {
 public:
  explicit Choice(Advice& advice) : advice_(advice), now_(cost_of(advice.now())) {}

  void make() {
    choose_more();
    choose_less();
    advice_.pin = best_of(Kind::Pin);
    advice_.quantisation = best_of(Kind::Quantisation);
    advice_.policy = best_of(Kind::Policy);
  }

 private:
  [[nodiscard]] bool is_worth(Duration saved) const {
    return saved >= kWorthWait && seconds_of(saved) >= kWorthShare * seconds_of(now_);
  }
  [[nodiscard]] Duration saved_by(const Replayed& one) const { return now_ - cost_of(one.figures); }

  [[nodiscard]] std::optional<std::size_t> best_of(Kind kind) const {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < advice_.replayed.size(); ++i) {
      const Replayed& one = advice_.replayed[i];
      const bool better = !best || saved_by(one) > saved_by(advice_.replayed[*best]);
      if (one.scenario.kind == kind && is_worth(saved_by(one)) && better) {
        best = i;
      }
    }
    return best;
  }

  void choose_more() {
    Duration most{};
    for (const Replayed& one : advice_.replayed) {
      if (one.scenario.kind == Kind::Budget && one.scenario.factor > 1) {
        most = std::max(most, saved_by(one));
      }
    }
    for (std::size_t i = 0; i < advice_.replayed.size() && !advice_.more_memory; ++i) {
      const Replayed& one = advice_.replayed[i];
      if (one.scenario.kind == Kind::Budget && one.scenario.factor > 1 && is_worth(most) &&
          seconds_of(saved_by(one)) >= kMost * seconds_of(most)) {
        advice_.more_memory = i;
      }
    }
  }

  void choose_less() {
    const Figures& now = advice_.now();
    if (now.unserved > 0) {
      return;  // too little memory is no ground to advise less
    }
    for (std::size_t i = 0; i < advice_.present && !advice_.less_memory; ++i) {
      const Figures& less = advice_.replayed[i].figures;
      const Duration lost = cost_of(less) - now_;
      const double most_loads = static_cast<double>(now.loads) * (1 + kWorthShare);
      if (!is_worth(lost) && less.unserved == 0 && static_cast<double>(less.loads) <= most_loads) {
        advice_.less_memory = i;
      }
    }
  }

  Advice& advice_;
  Duration now_;
};

// Within so much of each other; small figures differ by chance.
bool is_near(double recorded, double replayed, double share, double least) {
  const double apart = recorded > replayed ? recorded - replayed : replayed - recorded;
  return apart <= std::max(least, share * std::max(recorded, replayed));
}

Trust trust_in(const Recorded& recorded, const Figures& replayed) {
  const auto near = [&](double share) {
    return is_near(static_cast<double>(recorded.loads), static_cast<double>(replayed.loads), share,
                   3) &&
           is_near(seconds_of(recorded.waited), seconds_of(replayed.waited), share, 30);
  };
  constexpr double kClose = 0.2;
  constexpr double kWithinReason = 0.5;
  return near(kClose) ? Trust::Good : near(kWithinReason) ? Trust::Fair : Trust::Poor;
}

bool comes_before(const Replayed& a, const Replayed& b) {
  return a.scenario.kind != b.scenario.kind ? a.scenario.kind < b.scenario.kind
                                            : a.scenario.factor < b.scenario.factor;
}

}  // namespace

Advice advise(const Case& history, unsigned threads,
              const std::function<void(const Progress&)>& progress) {
  HF_ASSERT(!history.trace.rows.empty(), "there is something to replay");
  Advice advice;
  advice.replayed = replay_all(history, scenarios_of(history), threads, progress);
  std::vector<Replayed> pairs =
      replay_all(history, pairs_of_pins(history, advice.replayed), threads, progress);
  std::move(pairs.begin(), pairs.end(), std::back_inserter(advice.replayed));
  std::stable_sort(advice.replayed.begin(), advice.replayed.end(), comes_before);
  const auto is_present = [](const Replayed& one) {
    return one.scenario.kind == Kind::Budget && one.scenario.factor == 1;
  };
  advice.present = static_cast<std::size_t>(
      std::find_if(advice.replayed.begin(), advice.replayed.end(), is_present) -
      advice.replayed.begin());
  Choice(advice).make();
  advice.trust = trust_in(history.recorded, advice.now());
  return advice;
}

}  // namespace hf::advise
