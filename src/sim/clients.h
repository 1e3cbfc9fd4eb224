#pragma once
// The people: they ask, wait, read slowly, walk away, come back and try again after refusals.
// Stands where net and api stand in the server. Single thread, virtual time.

#include <optional>
#include <vector>

#include "core/action.h"
#include "core/event.h"
#include "sim/plan.h"
#include "sim/random.h"
#include "sim/timeline.h"

namespace hf::sim {

class Clients {
 public:
  Clients(const Plan& plan, std::uint64_t seed, Timeline& timeline);

  void start(TimePoint now);
  // What a happening of theirs means by now; nullopt: nothing any more.
  std::optional<core::Event> happen(const Happening& happening, TimePoint now);
  void told(const core::action::Grant& action, TimePoint now);
  void told(const core::action::Refuse& action, TimePoint now);
  void told(const core::action::CutLease& action, TimePoint now);
  // No more arrivals; every answer under way ends within a minute.
  void calm_down(TimePoint now);

  [[nodiscard]] std::uint64_t arrived() const { return requests_.size(); }

 private:
  enum class Stage : std::uint8_t { Waiting, Served, Over };
  struct Request {
    ModelId model;
    UserId user;
    Stage stage = Stage::Waiting;
  };

  core::Event arrive(ModelId model, UserId user, TimePoint now);
  std::optional<core::Event> leave(TicketId ticket, TimePoint now);
  Duration draw_service();
  Happening some_request();

  const Plan& plan_;
  Random random_;
  Timeline& timeline_;
  std::vector<Request> requests_;  // index = ticket id
  std::vector<double> popularity_;
  bool calm_ = false;
};

}  // namespace hf::sim
