#pragma once
// The core of Holdfast: decides who is loaded, who waits, who leaves, and why. A deterministic
// state machine without I/O, clock, threads or logging. Why it is apart: every promise (never
// unload a model in use, nobody waits for ever, never above the budget) is a property of this class
// alone and is checked on it by seeded simulation.
//
// How to drive it, in a loop on one thread:
//
//   scheduler.handle(event, now);                  // now never goes back
//   while (auto action = scheduler.poll_action())  // in this order, after handle() returned
//     perform(*action);
//   arm_timer(scheduler.next_deadline());          // then handle(event::Wake{}, now)
//
// The rules are numbered as in docs/scheduling.md.

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/action.h"
#include "core/bound.h"
#include "core/event.h"
#include "core/ledger.h"
#include "core/limits.h"
#include "core/model.h"
#include "core/mutant.h"
#include "core/outlook.h"
#include "core/pressure.h"
#include "core/value.h"
#include "core/view.h"

namespace hf::core {

class Scheduler {
 public:
  explicit Scheduler(const Limits& limits);

  // Takes one event. Requires: now >= every earlier now.
  void handle(const Event& event, TimePoint now);
  // Next thing to do, oldest first.
  std::optional<Action> poll_action();
  // When to send Wake if nothing happens before; nullopt: never.
  [[nodiscard]] std::optional<TimePoint> next_deadline() const { return deadline_; }

  [[nodiscard]] std::size_t model_count() const { return models_.size(); }
  [[nodiscard]] ModelView view(ModelId model) const;
  // Of a request that came now, full queues apart; nullopt: it would be granted, or wait.
  [[nodiscard]] std::optional<RefusalAtOnce> refusal_at_once(ModelId model) const;
  // In line order, then loading and full models.
  [[nodiscard]] std::vector<WaitView> waiting() const;
  [[nodiscard]] MemoryView memory() const;
  [[nodiscard]] std::optional<ModelId> owner() const { return owner_; }
  [[nodiscard]] bool shutting_down() const { return shutting_down_; }
  // Everything loaded is in use, and somebody waits for memory.
  [[nodiscard]] bool all_in_use() const { return all_in_use_since_.has_value(); }
  [[nodiscard]] bool overdue() const;  // a published deadline has passed, or a queue is full
  [[nodiscard]] const Limits& limits() const { return limits_; }
  [[nodiscard]] TimePoint now() const { return now_; }
  // Views are as of the latest event; this makes them as of `now`, brings the published deadlines
  // as close as they have become, and decides nothing. Requires: now >= every earlier now.
  void tell_time(TimePoint now);
  // Deadline published to a waiting ticket; nullopt: unknown, or it does not wait. Never moves
  // later, but for the time that memory pressure lasts.
  [[nodiscard]] std::optional<TimePoint> deadline_of(TicketId ticket) const;
  [[nodiscard]] std::optional<WaitView> wait_of(ModelId model) const;  // nullopt: nobody waits
  // Those who wait for a model, in the order in which they will be granted.
  [[nodiscard]] std::vector<TicketView> tickets_of(ModelId model) const;
  // nullopt: it does not wait.
  [[nodiscard]] std::optional<TicketView> waiting_ticket(TicketId ticket) const;

  // Aborts if the records contradict each other; O(models + tickets).
  void check_invariants() const;
  void set_mutant_for_test(Mutant mutant) { mutant_ = mutant; }

 private:
  struct Spot {           // of a model in the line, as views tell it
    int position = 0;     // 1 = head, 0 = not in line
    bool urgent = false;  // the line is
    double loaded_in_s = 0;
  };

  // Events, scheduler_events.cc
  void on(const event::ModelAdded& e);
  void on(const event::ModelBroken& e);
  void on(const event::ModelRemoved& e);
  void on(const event::SpecTuned& e);
  void on(const event::Arrived& e);
  void on(const event::Ended& e);
  void on(const event::OpenEnded& e);
  void on(const event::ReaderStalled& e);
  void on(const event::ReaderResumed& e);
  // Children, scheduler_children.cc
  void on(const event::LoadReady& e);
  void on(const event::LoadFailed& e);
  void on(const event::Exited& e);
  void on(const event::Measured& e);
  // Memory and commands, scheduler_commands.cc
  void on(const event::MemoryReading& e);
  void on(const event::Cleanup& e);
  void on(const event::Unload& e);
  void on(const event::Pin& e);
  void on(const event::LimitsChanged& e);
  void on(const event::Preload& e);
  void on(const event::Shutdown& e);
  void on(const event::Wake& e);

  // After each event: bring grants, line, gates, loads and cuts up to date.
  void settle();
  void settle_model(Model& model);  // grants, line number
  void grant_waiting(Model& model);
  void update_line(Model& model);

  // Rules 3 to 9, scheduler_rules.cc
  void run_line();
  bool serve_head();
  bool make_room(Model& head);
  bool gate_for(Model& head);
  void overtake();
  void load_wanted();
  void want(ModelId model, const Reason& reason);
  void open_unneeded_gates();
  void stop_drained();
  void relieve_debt();
  [[nodiscard]] Model* head();
  [[nodiscard]] bool urgent() const;
  [[nodiscard]] bool is_idle(const Model& model) const;
  [[nodiscard]] bool is_unused(const Model& model) const;
  [[nodiscard]] bool is_protected(const Model& model) const;
  [[nodiscard]] bool retries(const Model& model) const;
  [[nodiscard]] bool turn_over(const Model& model) const;
  [[nodiscard]] Footprint draining() const;
  [[nodiscard]] Duration turn_of(const Model& model) const;
  [[nodiscard]] Duration own_turn(const Model& model) const;
  [[nodiscard]] Candidate candidate(const Model& model) const;
  [[nodiscard]] Footprint room_without_pins(const Model& model) const;
  [[nodiscard]] std::optional<Reason> misfit(const Model& model, const Footprint& need) const;
  [[nodiscard]] bool loads_allowed() const;
  [[nodiscard]] Duration oldest_wait() const;

  // Child transitions, scheduler_children.cc
  void start_load(Model& model, Reason reason);
  void stop(Model& model, Reason reason, bool kill = false);
  void load_ended();
  void shut_gate(Model& model, Gate gate, Reason reason);
  void open_gate(Model& model);
  void reaped(Model& model);
  void cut_leases(Model& model, const Reason& reason);
  void refuse_all(Model& model, const Reason& reason, Duration retry_after);
  void back_off(Model& model);
  void bring_back_victims(Model& newcomer);

  // Settings and cleanup, scheduler_commands.cc
  void apply(const Limits& limits);
  void apply_deferred_limits();
  void recheck_line();
  std::vector<ModelId> cleanup(CleanupLevel level, Why why, bool loud);
  void pressure_step();
  void end_stall();
  void give_up_stall(bool after_reading);
  void move_clocks(bool stood_still);
  [[nodiscard]] Why pressure_why() const;
  void report_kept();
  void announce(action::NoticeKind kind, std::vector<ModelId> names);
  [[nodiscard]] std::vector<ModelId> protected_models() const;
  [[nodiscard]] std::vector<ModelId> models_in_use() const;
  [[nodiscard]] std::vector<ModelId> models_only_pinned() const;
  [[nodiscard]] std::vector<ModelId> loaded_models() const;

  // Time, scheduler_time.cc
  void expire_placeholders();
  void stop_expired_ttl();
  [[nodiscard]] bool undisturbed() const;
  void update_bites();
  void cut_bitten();
  void warn_all_in_use();
  void plan_deadline();
  [[nodiscard]] std::optional<TimePoint> bite_start(const Model& model) const;
  [[nodiscard]] Lease* find_lease(TicketId ticket);

  // Bounds and estimates, scheduler_bounds.cc
  const SharedTerms& shared_terms();
  void terms_changed();
  void release_promised_turn();
  void publish_bound(const Model& model, WaitingTicket& ticket, int position, int place);
  [[nodiscard]] std::optional<Duration> eta_of(const Model& model, int place,
                                               const Spot& spot) const;
  [[nodiscard]] Outlook outlook() const;
  [[nodiscard]] std::vector<Spot> spots(std::size_t count) const;
  [[nodiscard]] Spot spot_of(const Model& model) const;
  [[nodiscard]] Duration retry_after(const Model& model) const;
  [[nodiscard]] Duration pause_of(const WaitingTicket& ticket) const;
  [[nodiscard]] TicketView ticket_view(const Model& model, const WaitingTicket& ticket, int place,
                                       const Spot& spot) const;

  // Views, scheduler_views.cc
  [[nodiscard]] Worth worth(const Model& model) const;
  [[nodiscard]] int line_position(const Model& model) const;  // 1 = head, 0 = not in line
  [[nodiscard]] WaitView wait_view(const Model& model, const Spot& spot) const;

  Model* find(ModelId id);
  const Model* find(ModelId id) const;
  void touch(Model& model);
  void forget_ticket(TicketId id) { places_.erase(id); }
  template <class T>
  void emit(T action) {
    actions_.emplace_back(std::move(action));
  }

  Limits limits_;
  int widest_queue_;                         // the largest max_waiting so far
  std::optional<Limits> deferred_limits_;    // longer waits, once nobody has been promised less
  std::optional<SharedTerms> shared_terms_;  // nullopt: to be computed anew
  std::optional<Duration> promised_turn_;    // while somebody waits who was told a shorter one
  bool promise_ended_ = false;               // somebody who had been told a deadline waits no more
  bool bounds_old_ = false;                  // a published deadline may have come closer
  Ledger ledger_;
  Pressure pressure_;
  TimePoint now_{};
  std::optional<TimePoint> deadline_;
  std::vector<Model> models_;                         // index = ModelId
  std::unordered_map<TicketId, TicketPlace> places_;  // look-up only, never iterated
  std::vector<ModelId> touched_;
  std::vector<ModelId> resident_;  // models with a child, ascending
  std::vector<ModelId> pinned_;    // ascending
  std::vector<ModelId> timed_;     // with a ttl, or failed: those whose deadlines must be looked at
  std::vector<ModelId> line_;      // ascending line numbers
  std::vector<Wanted> wanted_;     // in order
  std::uint64_t next_number_ = 1;
  std::optional<ModelId> owner_;  // the model for which gates are shut
  std::vector<ModelId> retries_;  // wait for their second attempt after out-of-memory, oldest first
  int loading_ = 0;
  int gated_ = 0;           // models with a shut gate
  std::size_t leases_ = 0;  // of all models
  bool bitten_ = false;     // some model's leases may be ended (rule 10)
  double clock_ = 0;        // GDSF's inflation
  std::deque<std::pair<TimePoint, ModelId>> placeholders_;  // expiry order
  std::deque<Action> actions_;

  bool shutting_down_ = false, finished_ = false;
  TimePoint drain_until_{};
  bool kept_report_due_ = false;
  bool all_in_use_told_ = false;  // the short warning, once per episode of pressure
  std::optional<TimePoint> all_in_use_since_;
  TimePoint next_long_warning_{}, pressure_since_{};
  Mutant mutant_ = Mutant::None;
};

}  // namespace hf::core
