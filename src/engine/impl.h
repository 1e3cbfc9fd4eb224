#pragma once
// The inside of the Engine: what it does with its parts (engine_state.h). Not for other folders.
// Loop thread, but for jobs handed to `worker`, which touch only what they captured by value and
// post values back. What people ask for never goes there, see SideJobs.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine_state.h"

namespace hf::engine {

// After this many failed readings of the machine's memory in a row pressure is no longer watched.
constexpr int kBlindReadings = 6;

class Engine::Impl : private EngineState {
 public:
  Impl(Engine& self, boost::asio::io_context& io, std::shared_ptr<const config::Config> config);
  ~Impl();

  Result<void> start();
  void shutdown(std::function<void()> done);
  bool end_threads();

  TicketId acquire(ModelId model, UserId user, core::TicketKind kind, AcquireCallback callback);
  void cancel(TicketId ticket);
  void release(TicketId ticket, LeaseEnd end);
  void open_ended(TicketId ticket);
  void reader_stalled(TicketId ticket, bool stalled);
  void on_cut(TicketId ticket, std::function<void(const core::Reason&)> callback);
  void command(core::Event event, std::uint64_t number, CommandCallback callback);
  std::uint64_t next_command() { return ++last_command_; }
  void pin_by_hand(ModelId model, bool pinned, CommandCallback callback);
  void reload(ConfigReader reader, ReloadCallback callback);
  void note_cleanup(core::CleanupLevel level, const std::string& who);
  void note_command(std::string_view verb, ModelId model, const std::string& who, bool force);

  void name_user(UserId user, std::string name) { user_names_[user] = std::move(name); }
  [[nodiscard]] ModelTraits traits_of(ModelId model) const;
  std::optional<SideJobId> describe(ModelId model, DescriptionOf what, DescribeCallback callback);
  SideJobs& side_jobs() { return side_jobs_; }
  void let_go(ModelId model, bool allowed, std::string who, std::function<void(bool)> callback);

  [[nodiscard]] Status status();
  [[nodiscard]] std::vector<Decision> decisions_about(ModelId model) const;
  [[nodiscard]] std::optional<WaitNow> wait_of(TicketId ticket);
  [[nodiscard]] std::vector<core::TicketView> tickets_of(ModelId model) {
    scheduler_->tell_time(now());
    return scheduler_->tickets_of(model);
  }
  Catalog& catalog() { return catalog_; }

 private:
  // engine_start.cc
  Result<void> open_engine();
  Result<void> open_parts();
  void read_machine();
  [[nodiscard]] Bytes budget_of(const config::Config& config) const;
  [[nodiscard]] core::Limits limits_of(const config::Config& config) const;
  void add_all_models();

  // engine_reload.cc
  void next_reload();
  void adopt(Result<config::Config> wanted);
  void apply_reload(Scan scan);
  void end_reload(Result<Reloaded> result);
  [[nodiscard]] Reloaded result_of(const PendingReload& reload, const Scan& scan) const;
  void note_reload(const Reloaded& result, const std::vector<std::string>& model_keys);

  // engine_wishes.cc
  void note_wishes(ModelId model, const config::ModelConfig& before,
                   const config::ModelConfig& now);
  void follow_wishes();
  void pin_configured(ModelId model);
  void load_pinned(ModelId model);
  void unpin_configured(ModelId model);
  void end_of_pin();
  void preload_after_pins();

  // engine_loop.cc
  [[nodiscard]] TimePoint now() const;
  void feed(core::Event event);
  void drain_events();
  void arm_timer();
  void perform(const core::Action& action);
  void perform(const core::action::Grant& a);
  void perform(const core::action::Refuse& a);
  void perform(const core::action::CutLease& a);
  void perform(const core::action::StartLoad& a);
  void perform(const core::action::StopChild& a);
  void perform(const core::action::GateMoved& a);
  void perform(const core::action::Notice& a);
  void perform(const core::action::Answer& a);
  void perform(const core::action::Finished& a);

  // engine_children.cc
  void spawn_child(ModelId model, Running& running, const core::Footprint& reserved);
  [[nodiscard]] process::ChildSpec stock_spec(const ModelFile& file, const Running& running) const;
  [[nodiscard]] process::ChildEvents child_events(ModelId model, Generation generation);
  void child_ready(ModelId model, Generation generation);
  void child_exited(ModelId model, Generation generation, const process::ChildExit& exit);
  void save_measurement(const store::MeasurementKey& key);
  void note_failed(ModelId model, FailedAttempt attempt);
  void set_oom_score(ModelId model);
  [[nodiscard]] store::MeasurementKey measurement_key(const ModelFile& file) const;

  // engine_memory.cc
  void measure_children();
  void measure_child(ModelId model);
  void take_reading(ModelId model, Running& running, const readers::ProcessMemory& memory);
  static void read_last_mark(Running& running);
  void note_use(ModelId model, Generation generation, const std::string& line);
  void learn_memory(ModelId model, const Running& running);
  void note_raise(const core::event::LoadFailed& failed);
  void settle_raise(ModelId model, const Running& running);
  void tell_raised();
  // engine_gpu.cc
  void find_cards();
  std::vector<CardState> first_look(GpuState& state);
  [[nodiscard]] bool has_cards() const { return gpu_ && !gpu_->cards.empty(); }
  void tell_card_budgets();
  [[nodiscard]] core::Footprint on_cards(const ModelFile& file,
                                         const core::Footprint& raised) const;
  void tell_footprint(ModelId model);
  void feed_footprint(ModelId model);
  void start_card_timer();
  void look_at_cards();
  void note_trees(const std::map<int, std::vector<int>>& trees);
  [[nodiscard]] std::vector<OurProcess> our_processes(std::size_t domain) const;
  void take_card_reading(const readers::GpuReading& reading);
  void measure_on_cards();
  void learn_cards(ModelId model, const Running& running);
  // engine_card_waits.cc
  void child_ended(ModelId model, Generation generation, const process::ChildExit& exit);
  bool is_back(const Leaving& leaving, const readers::GpuReading& reading) const;
  void end_waits(const readers::GpuReading* reading);
  // engine_commands.cc
  [[nodiscard]] process::ChildSpec command_spec(const ModelFile& file, Running& running) const;
  bool again_on_another_port(ModelId model, Generation generation, const process::ChildExit& exit);
  void measure_command(ModelId model);
  void take_tree_reading(ModelId model, Running& running, const readers::TreeMemory& memory);
  void set_oom_score_of_tree(ModelId model, Running& running);
  void learn_answer(const Held& held);
  [[nodiscard]] ModelCosts costs_of_command(const ModelFile& file) const;
  void without_engine(ModelFile& file) const;
  // engine_fence.cc
  void open_fence();
  process::Fence fence_for(ModelId model, Generation generation, const core::Footprint& reserved);

  // engine_costs.cc
  [[nodiscard]] ModelCosts costs_of(const ModelFile& file) const;
  void learn_load(ModelId model, const Running& running, Duration took);
  void learn_speed(ModelId model, Generation generation, const process::Speed& speed);
  void note_cached_at_start(ModelId model, Generation generation);
  void look_at_page_cache();
  void look_at_page_cache_of(const std::vector<ModelId>& models);
  void tune(ModelId model);
  void tune_all();

  // engine.cc
  void arrive(TicketId ticket);
  void note_promise(TicketId ticket);
  void refresh_then_arrive(TicketId ticket, ModelId model);

  // engine_traits.cc
  bool unload_if_free(ModelId model, bool allowed, const std::string& who);

  // engine_models.cc
  void put_model(ModelFile file);
  void put_unlisted(ModelFile file);
  [[nodiscard]] std::optional<core::UseHistory> history_of(const std::string& name) const;
  [[nodiscard]] Change change_of(const ModelFile& file) const;
  [[nodiscard]] bool serves(ModelId model, const ModelFile& file) const;
  [[nodiscard]] std::map<std::string, ModelFile> known_files() const;
  void rescan();
  void apply_scan(Scan scan, const config::Config& config);
  [[nodiscard]] std::vector<ModelId> missing_in(const Found& found,
                                                const config::Config& config) const;
  void warn_of_context(const ModelFile& file);
  void warn_once(const std::vector<std::string>& warnings);
  static Duration load_deadline(const ModelFile& file);
  [[nodiscard]] core::Footprint footprint_of(const ModelFile& file) const;
  [[nodiscard]] core::ModelSpec spec_of(const ModelFile& file, const ModelCosts& costs) const;
  [[nodiscard]] std::string refused_because(ModelId model, core::Why why) const;
  [[nodiscard]] Refusal refusal_of(ModelId model, const core::Reason& reason,
                                   Duration retry_after) const;

  // engine_timers.cc
  void start_timers();
  void every(boost::asio::steady_timer& timer, std::chrono::milliseconds period,
             void (Impl::*what)());
  void save_history();
  void note_level(core::PressureLevel before);
  void warn_relief(const core::action::Notice& notice);

  // engine_signals.cc
  void watch_pressure();
  void wait_for_stall();
  void read_memory();
  void tell_oom_kills(const readers::MemorySignals& signals) const;
  [[nodiscard]] StallSource stall_source() const;

  // engine_history.cc
  [[nodiscard]] bool records_requests() const;
  void note_ungranted(const Waiting& waiting, store::Outcome outcome);
  void note_refused(const Waiting& waiting, core::Why why);
  void note_served(const Held& held, store::Outcome outcome);
  void note_load(ModelId model, Duration took);
  [[nodiscard]] store::LoggedModel logged_model(ModelId id) const;
  void save_requests();

  // engine_others.cc
  void watch_others();
  void yield_to_others(const readers::MachineMemory& others);
  [[nodiscard]] Bytes least_budget(std::optional<ModelId> unpinned = std::nullopt) const;
  [[nodiscard]] Bytes pinned_bytes(std::optional<ModelId> but = std::nullopt) const;
  void make_room_for(const core::Event& event);

  // engine_users.cc
  void add_users(Status& status) const;
  [[nodiscard]] std::string_view user_name(UserId user) const;

  // engine_status.cc
  [[nodiscard]] ModelStatus model_status(ModelId model) const;
  [[nodiscard]] std::string pin_problem(ModelId model) const;
  void judge(Status& status) const;
  // CLOCK_MONOTONIC in milliseconds, as other programs on the machine see it.
  static std::int64_t monotonic_ms();
  void write(const store::JournalLine& line);
  store::JournalLine journal_line(std::string_view event, ModelId model);
  [[nodiscard]] int& leases_of(ModelId model, Generation generation);
  void remember(ModelId model, std::string_view event, const core::Reason& reason);
  [[nodiscard]] std::string explain(const core::Reason& reason) const;
  [[nodiscard]] std::vector<std::string> names_of(const std::vector<ModelId>& ids) const;
};

}  // namespace hf::engine
