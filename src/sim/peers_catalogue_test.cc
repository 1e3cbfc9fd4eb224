// The long tests of the catalogue by which other servers were measured (tests/e2e has them on a
// real engine), in virtual time: clients that ask again as soon as they are answered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/testing/harness.h"
#include "sim/random.h"

namespace hf::sim {
namespace {

using core::testing::gib;
using core::testing::Harness;
using core::testing::spec;
using core::testing::Texts;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct Request {
  std::string model;
  Duration answer{};  // from grant to end
};

// One box: children that take a fixed time to load and to stop, and clients.
class Box {
 public:
  Box(const core::Limits& limits, Duration load, Duration stop)
      : core_(limits), load_(load), stop_(stop) {}

  void add_models(std::initializer_list<const char*> names, int slots) {
    for (const char* name : names) {
      core::ModelSpec model = spec(name, gib(10));
      model.slots = slots;
      model.reload = load_;
      core_.model(model);
    }
  }
  // Asks, and again as soon as it is answered, until `end`.
  void loop(std::function<Request()> next, TimePoint end) {
    if (core_.now() < end) {
      ask(next(), [this, next, end] { loop(next, end); });
    }
  }
  void ask(
      const Request& request, std::function<void()> after = [] {}) {
    const std::string ticket = "t" + std::to_string(tickets_.size());
    tickets_.push_back({request, core_.now(), {}, std::move(after)});
    const Texts actions = core_.arrive(ticket, request.model);
    // None is left of a ticket that was granted at once.
    tickets_.back().bound = core_.bound(ticket).value_or(Duration::zero());
    react(actions);
  }
  void at(TimePoint when, std::function<void()> what) { plan_.emplace(when, std::move(what)); }
  // Until nothing is planned any more.
  void run() {
    while (!plan_.empty()) {
      const auto wake = core_.scheduler().next_deadline();
      const TimePoint next = plan_.begin()->first;
      if (wake && *wake < next) {
        react(core_.advance(*wake - core_.now()));
        continue;
      }
      react(core_.advance(next - core_.now()));
      const auto planned = plan_.extract(plan_.begin());
      planned.mapped()();
    }
  }

  // Waits from arrival to grant, one for each grant, of one model or of all.
  [[nodiscard]] std::vector<Duration> waits(const std::string& model = "") const {
    std::vector<Duration> found;
    for (const auto& [of, waited] : waits_) {
      if (model.empty() || of == model) {
        found.push_back(waited);
      }
    }
    return found;
  }
  [[nodiscard]] bool all_within_bounds() const { return all_within_bounds_; }
  [[nodiscard]] std::size_t asked() const { return tickets_.size(); }
  [[nodiscard]] const Texts& stops() const { return stops_; }
  [[nodiscard]] TimePoint now() const { return core_.now(); }

 private:
  struct Ticket {
    Request request;
    TimePoint asked;
    Duration bound{};
    std::function<void()> after;
  };

  static std::size_t number_of(const std::string& ticket) { return std::stoul(ticket.substr(1)); }

  void react(const Texts& texts) {
    for (const std::string& text : texts) {
      const std::size_t space = text.find(' ');
      const std::string verb = text.substr(0, space);
      const std::string name = text.substr(space + 1, text.find(' ', space + 1) - space - 1);
      if (verb == "start") {
        at(core_.now() + load_, [this, name] { react(core_.ready(name)); });
      } else if (verb == "stop") {
        stops_.push_back(name);
        at(core_.now() + stop_, [this, name] { react(core_.exit(name)); });
      } else if (verb == "grant") {
        granted(name);
      }
    }
  }

  void granted(const std::string& ticket) {
    const Ticket& it = tickets_[number_of(ticket)];
    const Duration waited = core_.now() - it.asked;
    waits_.emplace_back(it.request.model, waited);
    all_within_bounds_ = all_within_bounds_ && waited <= it.bound;
    at(core_.now() + it.request.answer, [this, ticket] {
      react(core_.end(ticket));
      tickets_[number_of(ticket)].after();
    });
  }

  Harness core_;
  Duration load_;
  Duration stop_;
  std::multimap<TimePoint, std::function<void()>> plan_;
  std::vector<Ticket> tickets_;
  std::vector<std::pair<std::string, Duration>> waits_;
  Texts stops_;
  bool all_within_bounds_ = true;
};

// Room for one model, everything else as shipped.
core::Limits room_for_one() {
  core::Limits limits;
  limits.budget = core::Footprint::host(gib(16));
  limits.request_limit = seconds(20);
  return limits;
}

// T1: the wait ends by patience, not when a's clients go home; an hour shows the same as a minute.
TEST(PeersCatalogue, T01OneQuestionIsServedHoweverLongAnotherModelIsBusy) {
  for (const int clients : {2, 3, 4}) {
    for (const Duration busy : {Duration(seconds(60)), Duration(hours(1))}) {
      Box box(room_for_one(), seconds(2), milliseconds(300));
      box.add_models({"a", "b"}, 2);
      Random random(static_cast<std::uint64_t>(clients), 1);
      const TimePoint end = box.now() + busy;
      for (int i = 0; i < clients; ++i) {
        box.loop(
            [&random] {
              return Request{"a", random.duration(milliseconds(500), seconds(2))};
            },
            end);
      }
      box.at(box.now() + seconds(1), [&box] { box.ask({"b", seconds(1)}); });
      box.run();
      ASSERT_EQ(box.waits("b").size(), 1U);
      // a was ready at 2 s and has its turn of 30 s, which ends a second after b's patience. Then
      // an answer of a, the stop, the load.
      EXPECT_GE(box.waits("b")[0], seconds(31));
      EXPECT_LE(box.waits("b")[0], seconds(31) + seconds(2) + milliseconds(2300));
      EXPECT_TRUE(box.all_within_bounds());
      EXPECT_EQ(box.waits().size(), box.asked());
    }
  }
}

// T3: eight clients, three tiny models, room for one: a swap at almost every gap, and nobody waits
// longer than for a few of them.
TEST(PeersCatalogue, T03ShortRequestsWaitForAFewSwapsOnly) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Box box(room_for_one(), milliseconds(150), milliseconds(50));
    box.add_models({"a", "b", "c"}, 2);
    Random random(seed, 1);
    const TimePoint end = box.now() + seconds(25);
    for (int i = 0; i < 8; ++i) {
      box.loop(
          [&random] {
            return Request{std::string(1, "abc"[random.below(3)]), milliseconds(2)};
          },
          end);
    }
    box.run();
    std::vector<Duration> waits = box.waits();
    std::sort(waits.begin(), waits.end());
    ASSERT_EQ(waits.size(), box.asked());
    EXPECT_LE(waits[waits.size() * 99 / 100], seconds(2));
    EXPECT_LE(waits.back(), seconds(2)) << "seed " << seed;
    EXPECT_GT(box.stops().size(), 50U) << "models are swapped all the time";
    EXPECT_TRUE(box.all_within_bounds());
  }
}

// T19: a is asked every second for an hour, b was last used ten minutes ago.
TEST(PeersCatalogue, T19TheModelThatNobodyUsedForTenMinutesGoes) {
  core::Limits limits = room_for_one();
  limits.budget = core::Footprint::host(gib(20));
  Box box(limits, seconds(2), milliseconds(300));
  box.add_models({"a", "b", "c"}, 2);
  const TimePoint begun = box.now();
  for (int second = 0; second < 3600; ++second) {
    box.at(begun + seconds(second), [&box] { box.ask({"a", milliseconds(200)}); });
  }
  box.at(begun + minutes(49), [&box] { box.ask({"b", seconds(1)}); });
  box.at(begun + minutes(59) + milliseconds(500), [&box] { box.ask({"c", seconds(1)}); });
  box.run();
  EXPECT_THAT(box.stops(), ::testing::ElementsAre("b"));
}

// T19 with a history: both were used all morning; b every ten minutes, a every second.
TEST(PeersCatalogue, T19AModelInConstantUseStaysAlthoughAnotherWasUsedInMoreEpisodes) {
  core::Limits limits = room_for_one();
  limits.budget = core::Footprint::host(gib(20));
  Box box(limits, seconds(2), milliseconds(300));
  box.add_models({"a", "b", "c"}, 2);
  const TimePoint begun = box.now();
  for (int second = 0; second < 3 * 3600; ++second) {
    box.at(begun + seconds(second), [&box] { box.ask({"a", milliseconds(200)}); });
  }
  for (int minute = 10; minute < 3 * 60; minute += 10) {
    box.at(begun + minutes(minute), [&box] { box.ask({"b", seconds(1)}); });
  }
  box.at(begun + hours(3) - milliseconds(500), [&box] { box.ask({"c", seconds(1)}); });
  box.run();
  EXPECT_THAT(box.stops(), ::testing::ElementsAre("b"));
}

}  // namespace
}  // namespace hf::sim
