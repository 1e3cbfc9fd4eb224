// What it costs to say who waits and for how long: us per call of waiting(), which /health makes,
// of tickets_of(), and of what is told to one waiter. 50 models of the line's 250 are loaded and in
// use, 200 have people waiting: one each, or 4,000 tickets of 100 users, spread over all of them or
// for one. Prints one JSON line each: {"bench", "workload", "call", "waiting_models", "tickets",
// "us_per_call", "spread"}.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/scheduler.h"

namespace {

using namespace hf;
using namespace hf::core;

constexpr std::uint32_t kLoaded = 50;
constexpr std::uint32_t kWaiting = 200;
constexpr std::uint32_t kUsers = 100;
constexpr int kRounds = 9;

class Crowd {
 public:
  Crowd() : scheduler_(limits()) {
    for (std::uint32_t i = 0; i < kLoaded + kWaiting; ++i) {
      event::ModelAdded added;
      added.model = ModelId(i);
      added.spec.name = "m" + std::to_string(i);
      added.spec.footprint = Footprint::host(kGiB);
      added.spec.longest_answer = std::chrono::seconds(60);
      feed(added);
    }
    for (std::uint32_t i = 0; i < kLoaded; ++i) {
      arrive(ModelId(i));
    }
  }

  void arrive(ModelId model) {
    ++tickets_;
    feed(event::Arrived{TicketId(tickets_), model,
                        UserId(static_cast<std::uint32_t>(tickets_ % kUsers)),
                        TicketKind::Request});
  }
  [[nodiscard]] const Scheduler& scheduler() const { return scheduler_; }
  [[nodiscard]] TicketId latest() const { return TicketId(tickets_); }

 private:
  static Limits limits() {
    Limits limits;
    limits.budget = Footprint::host(kLoaded * kGiB);
    limits.loads_at_once = static_cast<int>(kLoaded);
    limits.max_waiting = 8000;
    limits.users = static_cast<int>(kUsers);
    return limits;
  }
  void feed(const Event& event) {
    scheduler_.handle(event, now_);
    while (const auto action = scheduler_.poll_action()) {
      if (const auto* load = std::get_if<action::StartLoad>(&*action)) {
        scheduler_.handle(event::LoadReady{load->model, load->generation}, now_);
      }
    }
  }

  Scheduler scheduler_;
  TimePoint now_{std::chrono::hours(1000)};
  std::uint64_t tickets_ = 0;
};

template <class Call>
void measure(const char* workload, const char* name, std::uint32_t tickets, Call call) {
  std::vector<double> us;
  std::size_t seen = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    seen += call();
    const auto took = std::chrono::steady_clock::now() - start;
    us.push_back(std::chrono::duration<double, std::micro>(took).count());
  }
  std::sort(us.begin(), us.end());
  const char* commit = std::getenv("HOLDFAST_COMMIT");
  std::printf(
      "{\"bench\":\"core_views\",\"workload\":\"%s\",\"call\":\"%s\",\"commit\":\"%s\","
      "\"waiting_models\":%u,\"tickets\":%u,\"seen\":%zu,\"rounds\":%d,\"us_per_call\":%.1f,"
      "\"spread\":[%.1f,%.1f]}\n",
      workload, name, commit == nullptr ? "unknown" : commit, kWaiting, tickets, seen / kRounds,
      kRounds, us[us.size() / 2], us.front(), us.back());
  std::fflush(stdout);
}

void measure_views(const char* workload, const Crowd& crowd, std::uint32_t tickets) {
  const Scheduler& scheduler = crowd.scheduler();
  const ModelId last(kLoaded + kWaiting - 1);
  measure(workload, "waiting", tickets, [&] { return scheduler.waiting().size(); });
  measure(workload, "tickets_of", tickets, [&] { return scheduler.tickets_of(last).size(); });
  measure(workload, "promise", tickets, [&] {
    return static_cast<std::size_t>(scheduler.waiting_ticket(crowd.latest()).has_value() +
                                    scheduler.wait_of(last).has_value());
  });
}

}  // namespace

int main() {
  constexpr std::uint32_t kMany = 4000;
  Crowd one_each;
  Crowd spread;
  Crowd on_one;
  for (std::uint32_t i = 0; i < kWaiting; ++i) {
    one_each.arrive(ModelId(kLoaded + i));
    on_one.arrive(ModelId(kLoaded + i));
  }
  measure_views("one_each", one_each, kWaiting);
  for (std::uint32_t i = 0; i < kMany; ++i) {
    spread.arrive(ModelId(kLoaded + i % kWaiting));
  }
  measure_views("spread", spread, kMany);
  for (std::uint32_t i = kWaiting; i < kMany; ++i) {
    on_one.arrive(ModelId(kLoaded + kWaiting - 1));
  }
  measure_views("on_one", on_one, kMany);
}
