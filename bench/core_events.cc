// ns per event of the core at 10, 100 and 1,000 models: requests arrive, are granted and end,
// models are loaded, evicted and gated. Completions are fed back at once, so nothing but the core
// is measured. Two workloads: `flow`, where hardly anybody waits, and `crowd`, where most models
// have people waiting. Prints one JSON line each: {"bench", "workload", "models", "ns_per_event",
// "spread", "events_per_s", "p999_us", "slowest_us", …}. The last two come from a run of their own,
// in which each event is timed; "limit_us" is what a decision may take.
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <vector>

#include "core/scheduler.h"

namespace {

using namespace hf;
using namespace hf::core;

constexpr int kEvents = 200'000;
constexpr int kRounds = 5;
constexpr double kLimitUs = 1000;

// CPU time: what other programs on the machine took does not count.
double cpu_micros() {
  timespec at{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) * 1e6 + static_cast<double>(at.tv_nsec) / 1e3;
}

// Answers every action at once, one event at a time, as the engine would.
class Driver {
 public:
  Driver(std::uint32_t models, bool crowd) : scheduler_(limits(models)), crowd_(crowd) {
    for (std::uint32_t i = 0; i < models; ++i) {
      event::ModelAdded added;
      added.model = ModelId(i);
      added.spec.name = "m" + std::to_string(i);
      added.spec.footprint = Footprint::host(Bytes(1'000'000'000 + i % 7 * 500'000'000LL));
      added.spec.longest_answer = std::chrono::seconds(60);
      feed(added);
    }
    models_ = models;
  }

  void run(int events) {
    const std::uint64_t until = events_ + static_cast<std::uint64_t>(events);
    while (events_ < until) {
      now_ += std::chrono::milliseconds(20);
      const bool ask = crowd_ ? random() % 8 != 0 : leases_.size() < 64 && random() % 2 == 0;
      if (ask) {
        // A few popular models and a long tail; a crowd is everywhere.
        const std::uint64_t pick =
            crowd_ ? random() % models_ : std::min(random() % models_, random() % models_);
        feed(event::Arrived{TicketId(++tickets_), ModelId(static_cast<std::uint32_t>(pick)),
                            UserId(0), TicketKind::Request});
      } else if (!leases_.empty()) {
        const std::size_t at = random() % leases_.size();
        const TicketId ended = leases_[at];
        leases_[at] = leases_.back();
        leases_.pop_back();
        feed(event::Ended{ended, EndKind::Done});
      } else {
        feed(event::Wake{});
      }
    }
  }
  [[nodiscard]] std::uint64_t events() const { return events_; }
  // From now on each event's time is kept.
  std::vector<double>& time_events() {
    timed_ = true;
    return micros_;
  }

 private:
  static Limits limits(std::uint32_t models) {
    Limits limits;
    // Room for a third of the models: evictions happen all the time.
    limits.budget = Footprint::host(Bytes(models * 700'000'000LL));
    return limits;
  }
  std::uint64_t random() {  // xorshift64: any reproducible sequence will do
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  void feed(Event event) {
    pending_.push_back(std::move(event));
    while (!pending_.empty()) {
      const Event next = std::move(pending_.front());
      pending_.pop_front();
      if (timed_) {
        const double start = cpu_micros();
        scheduler_.handle(next, now_);
        micros_.push_back(cpu_micros() - start);
      } else {
        scheduler_.handle(next, now_);
      }
      ++events_;
      while (const auto action = scheduler_.poll_action()) {
        if (const auto* grant = std::get_if<action::Grant>(&*action)) {
          leases_.push_back(grant->ticket);
        } else if (const auto* load = std::get_if<action::StartLoad>(&*action)) {
          pending_.emplace_back(event::LoadReady{load->model, load->generation});
        } else if (const auto* stop = std::get_if<action::StopChild>(&*action)) {
          pending_.emplace_back(event::Exited{stop->model, stop->generation});
        }
      }
    }
  }

  Scheduler scheduler_;
  bool crowd_;
  TimePoint now_{std::chrono::hours(1000)};
  std::uint64_t models_ = 1;
  std::uint64_t state_ = 88172645463325252ULL;
  std::uint64_t tickets_ = 0;
  std::uint64_t events_ = 0;
  std::vector<TicketId> leases_;
  std::deque<Event> pending_;
  bool timed_ = false;
  std::vector<double> micros_;
};

void measure(std::uint32_t models, bool crowd) {
  std::vector<double> ns;
  for (int round = 0; round < kRounds; ++round) {
    Driver driver(models, crowd);
    driver.run(kEvents / 10);  // warm: the first loads are not typical
    const std::uint64_t before = driver.events();
    const auto start = std::chrono::steady_clock::now();
    driver.run(kEvents);
    const auto took = std::chrono::steady_clock::now() - start;
    ns.push_back(
        static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count()) /
        static_cast<double>(driver.events() - before));
  }
  std::sort(ns.begin(), ns.end());
  Driver timed(models, crowd);
  timed.run(kEvents / 10);
  std::vector<double>& micros = timed.time_events();
  timed.run(kEvents);
  std::sort(micros.begin(), micros.end());
  const char* commit = std::getenv("HOLDFAST_COMMIT");
  std::printf(
      "{\"bench\":\"core_events\",\"workload\":\"%s\",\"commit\":\"%s\",\"models\":%u,\"events\":%"
      "d,\"rounds\":%d,"
      "\"ns_per_event\":%.0f,\"spread\":[%.0f,%.0f],\"events_per_s\":%.0f,\"p999_us\":%.1f,"
      "\"slowest_us\":%.1f,\"limit_us\":%.0f}\n",
      crowd ? "crowd" : "flow", commit == nullptr ? "unknown" : commit, models, kEvents, kRounds,
      ns[ns.size() / 2], ns.front(), ns.back(), 1e9 / ns[ns.size() / 2],
      micros[micros.size() * 999 / 1000], micros.back(), kLimitUs);
  std::fflush(stdout);
}

}  // namespace

int main() {
  for (const std::uint32_t models : {10U, 100U, 1000U}) {
    measure(models, false);
    measure(models, true);
  }
}
