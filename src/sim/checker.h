#pragma once
// The judge: sees only events and actions, keeps books of its own, and says when a promise is
// broken. Why not trust the core's invariants alone: they compare the core's records with each
// other, and records can agree and be wrong. Single thread, virtual time.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/action.h"
#include "core/event.h"
#include "core/scheduler.h"
#include "sim/coverage.h"
#include "sim/plan.h"
#include "sim/world.h"

namespace hf::sim {

class Checker {
 public:
  explicit Checker(const Plan& plan);

  // In this order for each event: before(), then check() for each action, then after().
  void before(const core::Event& event, TimePoint now);
  void check(const core::Action& action);
  void after(const core::Scheduler& scheduler);
  // At the end of a run: nobody waits, holds, loads or stops. `quitting`: no child is left either.
  void check_rest(const core::Scheduler& scheduler, bool quitting);
  [[nodiscard]] bool at_rest() const;

  void fail(std::string violation);
  [[nodiscard]] const std::optional<std::string>& violation() const { return violation_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] bool finished() const { return finished_; }

 private:
  enum class Stage : std::uint8_t { Unknown, Waiting, Leased, Over };
  struct Ticket {
    ModelId model;
    UserId user;
    core::TicketKind kind = core::TicketKind::Request;
    Stage stage = Stage::Unknown;
    bool departed = false;
    TimePoint arrived;
    TimePoint leased;
    std::optional<TimePoint> stalled;
    bool open_ended = false;
    std::optional<TimePoint> deadline;  // the latest that was published
    std::optional<TimePoint> told;      // the first, unless its model was loading
  };
  struct Truth {  // of one model
    bool known = false, listed = false, broken = false, pinned = false;
    bool wanted = false;  // by a preload
    core::Footprint estimate;
    int slots = 1;                   // of the next generation
    int child_slots = 0;             // of the present one
    Duration reload{};               // the shortest that those who wait were told
    Duration reload_after{};         // once nobody waits
    std::optional<Duration> answer;  // the shortest that its longest one was said to be
    Phase phase = Phase::None;
    bool gated = false;
    Generation generation;
    core::Footprint reserved, measured, debt;
    TimePoint ready;
    int leases = 0, waiting = 0;
    std::optional<TimePoint> failed;  // latest failed load or crash
    std::uint64_t failed_by_event = 0;
    bool second_attempt = false;    // the present load, after the first ran out of memory
    bool retry_due = false;         // a second attempt is owed to those who wait
    bool to_go = false;             // asked to leave while it loads: no second attempt
    std::vector<ModelId> gone_for;  // it was stopped to make room for these
    std::optional<TicketId> last_granted;
  };
  struct Command {
    std::uint64_t id = 0;
    ModelId model;
    bool pin = false, unpin = false, forced = false;
    bool answered = false;
  };

  // What an event means for the books.
  void on(const core::event::ModelAdded& e);
  void on(const core::event::ModelBroken& e);
  void on(const core::event::ModelRemoved& e);
  void on(const core::event::SpecTuned& e);
  void on(const core::event::Arrived& e);
  void on(const core::event::Ended& e);
  void on(const core::event::OpenEnded& e);
  void on(const core::event::ReaderStalled& e);
  void on(const core::event::ReaderResumed& e);
  void on(const core::event::LoadReady& e);
  void on(const core::event::LoadFailed& e);
  void on(const core::event::Exited& e);
  void on(const core::event::Measured& e);
  void on(const core::event::MemoryReading& e);
  void on(const core::event::Cleanup& e);
  void on(const core::event::Unload& e);
  void on(const core::event::Pin& e);
  void on(const core::event::LimitsChanged& e);
  void on(const core::event::Preload& e);
  void on(const core::event::Shutdown& e);
  void on(const core::event::Wake& e);

  // Whether an action is right now allowed, checker_actions.cc.
  void judge(const core::action::Grant& a);
  void judge(const core::action::Refuse& a);
  void judge(const core::action::CutLease& a);
  void judge(const core::action::StartLoad& a);
  void judge(const core::action::StopChild& a);
  void judge(const core::action::GateMoved& a);
  void judge(const core::action::Notice& a);
  void judge(const core::action::Answer& a);
  void judge(const core::action::Finished& a);
  void judge_load_for_nobody(const core::action::StartLoad& a, const Truth& m);
  void judge_stop_of_loading(const core::action::StopChild& a);
  void judge_stop_of_ready(const core::action::StopChild& a, const Truth& m);
  void judge_stop_for_pressure(const core::action::StopChild& a);
  [[nodiscard]] bool second_attempt_is_hopeless(const Truth& m) const;
  [[nodiscard]] bool may_refuse(const core::action::Refuse& a, const Truth& m, const Ticket& t);

  void expect(bool condition, const char* promise) {
    if (!condition && !violation_) {
      fail(promise);
    }
  }
  Truth* find(ModelId id);
  Ticket* find(TicketId id);
  void reap(Truth& model);
  void tune_reload(Truth& model, Duration reload);
  // Published deadlines, checker_deadlines.cc
  void follow_deadlines(const core::Scheduler& scheduler);
  void follow_deadline(const core::Scheduler& scheduler, TicketId id);
  void judge_wait(const Ticket& ticket);
  void check_deadlines();
  void postpone_deadlines();
  static void tune_answer(Truth& model, std::optional<Duration> longest);
  [[nodiscard]] bool stall_counts() const { return stalled_until_ && !stall_given_up_; }
  [[nodiscard]] bool stressed() const { return above_marks_ || stall_counts(); }
  void renew_stall();
  void judge_pressed_out();
  void stall_ceases_to_count();
  [[nodiscard]] bool stall_allowance_is_spent() const;
  void judge_stall_given_up();
  [[nodiscard]] Duration pause_of(const Ticket& ticket) const;
  void check_models(const core::Scheduler& scheduler);
  [[nodiscard]] bool somebody_waits() const;
  [[nodiscard]] bool wants_memory(const Truth& model) const;
  [[nodiscard]] bool out_of_patience(Duration patience) const;
  // Nobody has more waiting than its user. `alone`: whether others wait, and each with less.
  [[nodiscard]] bool has_most_waiting(const Ticket& ticket, bool alone) const;
  [[nodiscard]] bool fits_after_stops(const Truth& model) const;
  [[nodiscard]] core::Footprint room_for(const Truth& model) const;

  const Plan& plan_;
  TimePoint now_{};
  std::optional<std::string> violation_;
  Counters counters_;
  std::vector<Truth> models_;
  std::vector<Ticket> tickets_;      // index = ticket id
  std::vector<TicketId> waiting_;    // superset of those that wait; compacted now and then
  std::optional<TicketId> arrived_;  // by the present event
  std::optional<Command> command_;   // of the present event
  std::optional<ModelId> exited_;    // by the present event
  core::Footprint budget_;
  core::Limits shortest_, longest_;    // settings that those who wait may have been told
  bool above_marks_ = false;           // memory above the high mark, and not yet below the low one
  bool stalled_ = false;               // the latest reading, and no load explains it
  std::ptrdiff_t loads_ = 0;           // after the event before
  std::optional<TimePoint> load_end_;  // the latest
  std::optional<TimePoint> stalled_until_;
  TimePoint stalled_since_{};       // the first reading of that stall
  Duration stall_debt_{};           // for how long stalls counted, less what was paid back since
  TimePoint stall_debt_at_{};       // when the latest one ceased to count
  bool stall_given_up_ = false;     // it counts no longer
  bool stall_is_hopeless_ = false;  // … because evictions did not help
  int gone_in_vain_given_up_ = 0;   // for a stall that had been given up
  int gone_in_vain_ = 0;  // idle models that went for pressure, since the latest one that helped
  double used_percent_ = 0;
  TimePoint stressed_since_{};  // or the latest reading
  // Who was told to go because of pressure; until readings since the reap have shown the effect.
  struct PressedOut {
    ModelId model;
    Generation generation;
    double percent_before = 0;
    bool stalled_before = false;
    bool by_stall = false;
    std::optional<TimePoint> reaped;
  };
  std::optional<PressedOut> pressed_out_;
  bool deadlines_moved_ = false;  // by the present event, perhaps
  std::optional<TimePoint> last_departure_;
  std::optional<TimePoint> drain_until_;
  bool finished_ = false;
  std::uint64_t events_ = 0;
  std::uint64_t wakes_in_vain_ = 0;
  bool acted_ = false;
};

}  // namespace hf::sim
