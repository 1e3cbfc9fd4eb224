// Fair shares between users, in virtual time: somebody who sends hundreds of requests at once does
// not delay another user's single one by more than one slot's turn (tests/e2e/test_fair_share.py
// measures the same on the whole program).
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/testing/harness.h"
#include "sim/random.h"

namespace hf::sim {
namespace {

using core::testing::gib;
using core::testing::Harness;
using core::testing::Texts;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kFlood = 200;
constexpr Duration kLoad = seconds(2);
constexpr Duration kStop = milliseconds(300);

// Room for one model of 10 GiB.
core::Limits room_for_one() {
  core::Limits limits = core::testing::limits(gib(16));
  limits.max_waiting = 300;
  limits.request_limit = seconds(20);
  limits.users = 10;
  return limits;
}

struct Asked {
  std::string model;
  std::uint32_t user = 0;
  TimePoint at{};
  Duration answer{};
  std::optional<TimePoint> granted{};
  Duration bound{};  // told when it came
  // When the next of those that ran on its model as it came is over; nullopt: it did not wait.
  std::optional<TimePoint> next_free{};
  int others_first = 0;  // grants on its model since
};

// One box: children that take a fixed time to load and to stop, and clients.
class Box {
 public:
  explicit Box(const core::Limits& limits) : core_(limits) {}

  void add_model(const std::string& name, int slots) { core_.model(name, gib(10), slots); }
  [[nodiscard]] TimePoint now() const { return core_.now(); }
  void at(TimePoint when, std::function<void()> what) { plan_.emplace(when, std::move(what)); }

  // The number of the request.
  std::size_t ask(const std::string& model, std::uint32_t user, Duration answer) {
    const std::size_t number = asked_.size();
    asked_.push_back({model, user, now(), answer});
    const auto next = std::min_element(running_[model].begin(), running_[model].end());
    if (next != running_[model].end()) {
      asked_.back().next_free = *next;
    }
    const std::string ticket = "t" + std::to_string(number);
    const Texts actions = core_.arrive(ticket, model, user);
    asked_[number].bound = core_.bound(ticket).value_or(Duration::zero());
    react(actions);
    return number;
  }
  void run_until(TimePoint end) {
    while (!plan_.empty() && plan_.begin()->first <= end) {
      const TimePoint next = plan_.begin()->first;
      react_until(next);
      const auto planned = plan_.extract(plan_.begin());
      planned.mapped()();
    }
    react_until(end);
  }
  [[nodiscard]] const Asked& request(std::size_t number) const { return asked_[number]; }
  [[nodiscard]] int waiting(const std::string& model) const { return core_.view(model).waiting; }

 private:
  void react_until(TimePoint end) {
    while (const auto wake = core_.scheduler().next_deadline()) {
      if (*wake > end) {
        break;
      }
      react(core_.advance(std::max(Duration::zero(), *wake - now())));
    }
    react(core_.advance(end - now()));
  }

  void react(const Texts& texts) {
    for (const std::string& text : texts) {
      const std::size_t space = text.find(' ');
      const std::string verb = text.substr(0, space);
      const std::string name = text.substr(space + 1, text.find(' ', space + 1) - space - 1);
      if (verb == "start") {
        at(now() + kLoad, [this, name] { react(core_.ready(name)); });
      } else if (verb == "stop") {
        at(now() + kStop, [this, name] { react(core_.exit(name)); });
      } else if (verb == "grant") {
        granted(std::stoul(name.substr(1)));
      }
    }
  }

  void granted(std::size_t number) {
    Asked& it = asked_[number];
    for (Asked& other : asked_) {
      other.others_first += other.model == it.model && !other.granted && &other != &it ? 1 : 0;
    }
    it.granted = now();
    const TimePoint end = now() + it.answer;
    std::vector<TimePoint>& running = running_[it.model];
    running.push_back(end);
    at(end, [this, number, end] {
      std::vector<TimePoint>& ends = running_[asked_[number].model];
      ends.erase(std::find(ends.begin(), ends.end(), end));
      react(core_.end("t" + std::to_string(number)));
    });
  }

  Harness core_;
  std::multimap<TimePoint, std::function<void()>> plan_;
  std::vector<Asked> asked_;
  std::map<std::string, std::vector<TimePoint>> running_;  // ends of the answers of a model
};

class FairShare : public ::testing::TestWithParam<int> {};  // slots
INSTANTIATE_TEST_SUITE_P(Slots, FairShare, ::testing::Values(1, 2, 4));

TEST_P(FairShare, ASingleRequestBesideAFloodGetsTheNextFreeSlot) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Box box(room_for_one());
    box.add_model("a", GetParam());
    Random random(seed, 1);
    // The other one had something shortly before, which may or may not be over.
    box.ask("a", 2, random.duration(seconds(1), seconds(3)));
    box.run_until(box.now() + random.duration(seconds(0), seconds(9)));
    for (int i = 0; i < kFlood; ++i) {
      box.ask("a", 1, random.duration(seconds(1), seconds(20)));
    }
    box.run_until(box.now() + random.duration(seconds(9), seconds(19)));
    for (int question = 0; question < 5; ++question) {
      const std::size_t number = box.ask("a", 2, random.duration(seconds(1), seconds(5)));
      box.run_until(box.now() + seconds(30) + random.duration(seconds(0), seconds(9)));
      ASSERT_GT(box.waiting("a"), 0) << "the flood goes on";
      const Asked& asked = box.request(number);
      ASSERT_TRUE(asked.granted && asked.next_free);
      EXPECT_EQ(*asked.granted, *asked.next_free) << "seed " << seed << ", question " << question;
      EXPECT_EQ(asked.others_first, 0);
      EXPECT_LE(*asked.granted - asked.at, asked.bound);
    }
  }
}

TEST_P(FairShare, OfSeveralUsersBesideAFloodEachWaitsForThoseWhoCameBeforeIt) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Box box(room_for_one());
    box.add_model("a", GetParam());
    Random random(seed, 1);
    for (int i = 0; i < kFlood; ++i) {
      box.ask("a", 1, random.duration(seconds(1), seconds(20)));
    }
    box.run_until(box.now() + seconds(7));
    std::vector<std::size_t> singles;
    for (std::uint32_t user = 2; user <= 9; ++user) {
      singles.push_back(box.ask("a", user, seconds(5)));
    }
    box.run_until(box.now() + seconds(200));
    for (std::size_t i = 0; i < singles.size(); ++i) {
      ASSERT_TRUE(box.request(singles[i]).granted);
      EXPECT_EQ(box.request(singles[i]).others_first, static_cast<int>(i));
    }
  }
}

// Several requests of another user take turns with the flood, one by one.
TEST_P(FairShare, TwoUsersShareTheModelEvenly) {
  Box box(room_for_one());
  box.add_model("a", GetParam());
  for (int i = 0; i < kFlood; ++i) {
    box.ask("a", 1, seconds(1));
  }
  box.run_until(box.now() + kLoad + milliseconds(500));
  std::vector<std::size_t> own;
  for (int i = 0; i < 20; ++i) {
    own.push_back(box.ask("a", 2, seconds(1)));
  }
  box.run_until(box.now() + seconds(60));
  for (std::size_t i = 0; i < own.size(); ++i) {
    EXPECT_EQ(box.request(own[i]).others_first, static_cast<int>(2 * i));
  }
}

// A flood on two models that take turns: a third one's single request waits as if there were one
// request of each.
TEST_P(FairShare, AFloodOnOtherModelsDelaysNoMoreThanOneRequestOnEach) {
  std::vector<Duration> waits;
  std::vector<Duration> bounds;
  for (const int flood : {1, kFlood}) {
    Box box(room_for_one());
    for (const char* name : {"a", "b", "c"}) {
      box.add_model(name, GetParam());
    }
    for (int i = 0; i < flood; ++i) {
      for (const char* name : {"a", "b"}) {
        box.ask(name, 1, seconds(6));
      }
    }
    box.run_until(box.now() + seconds(5));
    const std::size_t number = box.ask("c", 2, seconds(1));
    box.run_until(box.now() + seconds(600));
    const Asked& asked = box.request(number);
    ASSERT_TRUE(asked.granted);
    EXPECT_LE(*asked.granted - asked.at, asked.bound);
    waits.push_back(*asked.granted - asked.at);
    bounds.push_back(asked.bound);
  }
  EXPECT_EQ(bounds[0], bounds[1]);
  // Two turns of 30 s, what answers run beyond them, and the swaps.
  EXPECT_LE(waits[1], seconds(2 * 30 + 2 * 6) + 3 * (kLoad + kStop));
}

}  // namespace
}  // namespace hf::sim
