#pragma once
// Drives a Scheduler by names and returns what it did as short texts, so that a test reads as a
// story:
//
//   Harness h(limits(gib(16)));
//   h.model("a", gib(10));
//   EXPECT_THAT(h.arrive("t1", "a"), ElementsAre("start a head_fits"));
//
// Texts: "start a WHY", "stop a WHY", "kill a WHY", "grant t1", "refuse t1 WHY", "cut t1 WHY",
// "shut a WHY", "open a", "notice KIND [names] [protected names]", "answer CODE", "finished".
// Checks the invariants after each event. For tests only.

#include <optional>
#include <string>
#include <vector>

#include "core/scheduler.h"

namespace hf::core::testing {

using Texts = std::vector<std::string>;

inline Bytes gib(std::int64_t n) {
  return n * kGiB;
}
// P 30 s, Q 30 s, nothing else set.
Limits limits(Bytes budget);
// One slot.
ModelSpec spec(std::string name, Bytes size);

class Harness {
 public:
  explicit Harness(const Limits& limits) : scheduler_(limits) {}

  Scheduler& scheduler() { return scheduler_; }
  [[nodiscard]] TimePoint now() const { return now_; }
  [[nodiscard]] ModelId id(const std::string& model) const;
  [[nodiscard]] ModelView view(const std::string& model) const {
    return scheduler_.view(id(model));
  }
  [[nodiscard]] State state(const std::string& model) const { return view(model).state; }
  // From now to the published deadline.
  std::optional<Duration> bound(const std::string& ticket);
  // The latest action of a kind, with its numbers.
  template <class Kind>
  [[nodiscard]] const Kind* last() const {
    for (std::size_t i = actions_.size(); i-- > 0;) {
      if (const auto* action = std::get_if<Kind>(&actions_[i])) {
        return action;
      }
    }
    return nullptr;
  }

  Texts handle(const Event& event);
  // Lets time pass; wakes the scheduler whenever it asked for it.
  Texts advance(Duration by);

  Texts model(const std::string& name, Bytes size, int slots = 1);
  Texts model(const ModelSpec& spec, bool restart = false);
  Texts arrive(const std::string& ticket, const std::string& model, std::uint32_t user = 0);
  Texts load(const std::string& ticket, const std::string& model);
  Texts end(const std::string& ticket);
  Texts cancel(const std::string& ticket);
  Texts open_ended(const std::string& ticket);
  Texts stall(const std::string& ticket);
  Texts resume(const std::string& ticket);
  Texts ready(const std::string& model);
  Texts fail(const std::string& model, LoadFailure failure = LoadFailure::Crashed);
  Texts exit(const std::string& model);
  Texts measured(const std::string& model, Bytes in_use);
  Texts reading(double percent, bool stalled = false);
  Texts cleanup(CleanupLevel level);
  Texts unload(const std::string& model, UnloadMode mode);
  Texts pin(const std::string& model, bool pinned = true);
  // Asks, waits for the load and ends: the model is ready and idle. Requires room.
  void make_ready(const std::string& model);

 private:
  std::string text_of(const Action& action) const;
  std::string list(const std::vector<ModelId>& models) const;
  TicketId ticket(const std::string& name) const;
  TicketId new_ticket(const std::string& name);

  Scheduler scheduler_;
  TimePoint now_{};
  std::vector<std::string> models_;
  std::vector<std::string> tickets_;
  std::vector<Action> actions_;
  std::uint64_t commands_ = 0;
};

}  // namespace hf::core::testing
