#pragma once
// The inside of the Engine: its parts and how they are tied together. Not for other folders. Loop
// thread, but for jobs handed to `worker`, which touch only what they captured by value and post
// values back.

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/scheduler.h"
#include "engine/answer_time.h"
#include "engine/catalog.h"
#include "engine/engine.h"
#include "engine/gpu_state.h"
#include "engine/records.h"
#include "engine/request_recorder.h"
#include "engine/scan.h"
#include "engine/speeds.h"
#include "engine/worker_thread.h"
#include "engine/yielding_budget.h"
#include "process/fence.h"
#include "process/probe.h"
#include "process/run_dir.h"
#include "readers/machine_memory.h"
#include "readers/memory_signals.h"
#include "readers/process_memory.h"
#include "store/journal.h"
#include "store/journal_line.h"
#include "store/store.h"

namespace hf::engine {

// After this many failed readings of the machine's memory in a row pressure is no longer watched.
constexpr int kBlindReadings = 6;

class Engine::Impl {
 public:
  Impl(Engine& self, boost::asio::io_context& io, std::shared_ptr<const config::Config> config);
  ~Impl();

  Result<void> start();
  void shutdown(std::function<void()> done);

  TicketId acquire(ModelId model, UserId user, core::TicketKind kind, AcquireCallback callback);
  void cancel(TicketId ticket);
  void release(TicketId ticket, bool complete);
  void reader_stalled(TicketId ticket, bool stalled);
  void on_cut(TicketId ticket, std::function<void(const core::Reason&)> callback);
  void command(core::Event event, std::uint64_t number, CommandCallback callback);
  std::uint64_t next_command() { return ++last_command_; }
  void pin_by_hand(ModelId model, bool pinned, CommandCallback callback);
  void reload(ConfigReader reader, ReloadCallback callback);
  void note_cleanup(core::CleanupLevel level);
  void note_command(std::string_view verb, ModelId model, const std::string& who, bool force);

  [[nodiscard]] Status status();
  [[nodiscard]] std::vector<Decision> decisions_about(ModelId model) const;
  [[nodiscard]] std::vector<core::TicketView> tickets_of(ModelId model) {
    scheduler_->tell_time(now());
    return scheduler_->tickets_of(model);
  }
  Catalog& catalog() { return catalog_; }

 private:
  // engine_start.cc
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
  void child_ready(ModelId model, Generation generation);
  void child_exited(ModelId model, Generation generation, const process::ChildExit& exit);
  void save_measurement(const store::MeasurementKey& key);
  void set_oom_score(ModelId model);
  [[nodiscard]] store::MeasurementKey measurement_key(const ModelFile& file) const;

  // engine_memory.cc
  void measure_children();
  void measure_child(ModelId model);
  void take_reading(ModelId model, Running& running, const readers::ProcessMemory& memory);
  static void read_last_mark(Running& running);
  void note_use(ModelId model, Generation generation, const std::string& line);
  void learn_memory(ModelId model, const Running& running);
  // engine_gpu.cc
  void find_cards();
  [[nodiscard]] bool has_cards() const { return gpu_ && !gpu_->cards.empty(); }
  void tell_card_budgets();
  [[nodiscard]] core::Footprint on_cards(const ModelFile& file) const;
  void start_card_timer();
  void look_at_cards();
  void take_card_reading(const readers::GpuReading& reading);
  void measure_on_cards();
  void learn_cards(ModelId model, const Running& running);
  // engine_card_waits.cc
  void child_ended(ModelId model, Generation generation, const process::ChildExit& exit);
  bool is_back(const Leaving& leaving, const readers::GpuReading& reading) const;
  void end_waits(const readers::GpuReading* reading);
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

  // engine_status.cc
  // CLOCK_MONOTONIC in milliseconds, as other programs on the machine see it.
  static std::int64_t monotonic_ms();
  // Since 1970: for what outlives the process, never for a decision.
  static std::int64_t wall_clock_ms();
  void write(const store::JournalLine& line);
  store::JournalLine journal_line(std::string_view event, ModelId model);
  [[nodiscard]] int& leases_of(ModelId model, Generation generation);
  void remember(ModelId model, std::string_view event, const core::Reason& reason);
  [[nodiscard]] std::string explain(const core::Reason& reason) const;
  [[nodiscard]] std::vector<std::string> names_of(const std::vector<ModelId>& ids) const;

  Engine& self_;
  boost::asio::io_context& io_;
  std::shared_ptr<const config::Config> config_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();

  std::optional<process::RunDir> run_dir_;
  process::EngineTraits traits_;
  Catalog catalog_;
  std::optional<core::Scheduler> scheduler_;  // set in start(): its budget is read from the machine
  readers::MemorySignalTracker signal_tracker_;
  std::optional<readers::MemorySignals> signals_;  // as last read; nullopt: it failed
  std::optional<boost::asio::posix::stream_descriptor> stall_trigger_;  // nullopt: not to be had
  std::optional<TimePoint> last_stall_;                                 // when it last woke us
  readers::MachineMemory machine_at_start_;  // without children of ours: for the default budget
  Bytes budget_;                             // of host RAM, as configured or computed
  YieldingBudget yielding_;                  // what counts of it now
  int memory_failures_ = 0;                  // readings in a row that failed
  std::set<std::string> told_;  // warnings about files and folders that were given once

  std::unique_ptr<GpuState> gpu_;  // null, or without cards: none is counted
  config::Fence fence_ = config::Fence::Off;
  std::optional<process::MemoryCgroups> cgroups_;  // with fence_ Cgroup

  std::deque<core::Event> events_;
  bool draining_events_ = false;
  std::unordered_map<TicketId, Waiting> waiting_;
  std::unordered_map<TicketId, Held> held_;
  std::map<std::uint64_t, CommandCallback> commands_;
  std::map<ModelId, Running> running_;
  int no_leases_ = 0;  // what a generation that is gone counts on
  std::uint64_t last_ticket_ = 0;
  std::uint64_t last_command_ = 0;
  std::function<void()> on_finished_;
  std::deque<Remembered> remembered_;  // the newest decisions, bounded

  std::map<store::MeasurementKey, store::Measurement> measurements_;
  SpeedTable speeds_;
  SpeedSamples samples_;                            // of the listed models, for estimates
  std::map<ModelId, ModelCosts> costs_;             // as the core was told
  std::map<std::string, store::ModelStats> stats_;  // as last saved
  std::map<ModelId, Duration> stops_;               // how long the last one took
  RequestRecorder recorder_;                        // of what was not saved yet
  std::shared_ptr<store::Store> store_;             // used on the worker only, after start()
  std::optional<store::Journal> journal_;

  boost::asio::steady_timer core_timer_;
  boost::asio::steady_timer memory_timer_;
  boost::asio::steady_timer measure_timer_;
  boost::asio::steady_timer others_timer_;
  boost::asio::steady_timer rescan_timer_;
  boost::asio::steady_timer save_timer_;
  boost::asio::steady_timer page_cache_timer_;
  bool looking_at_page_cache_ = false;
  std::optional<TimePoint> next_page_cache_look_;  // nullopt: there was none yet
  bool stopped_ = false;
  bool scanning_ = false;  // a rescan or a reload is on the worker; the next one waits for it
  std::deque<PendingReload> reloads_;
  std::optional<PendingReload> reloading_;  // is on the worker; its callback stays on the loop
  std::set<ModelId> pinned_by_hand_;        // looked at only while the model is pinned
  std::map<ModelId, PinWish> pins_wanted_;
  std::set<ModelId> preloads_;  // to be asked for once no pinned model is on its way
  int pins_under_way_ = 0;
  std::shared_ptr<bool> alive_ =
      std::make_shared<bool>(true);  // false once gone: late posts do nothing
  WorkerThread worker_;              // last: joined first
};

}  // namespace hf::engine
