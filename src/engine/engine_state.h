#pragma once
// What the Engine keeps: the parts that it drives and the records of what it did. Apart from
// impl.h, which says what it does with them. Loop thread, but for the store and the readers of
// cards, which their own threads use.

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
#include <utility>

#include "core/scheduler.h"
#include "engine/answer_time.h"
#include "engine/catalog.h"
#include "engine/engine.h"
#include "engine/failed_attempt.h"
#include "engine/gpu_state.h"
#include "engine/raised_estimates.h"
#include "engine/records.h"
#include "engine/request_recorder.h"
#include "engine/scan.h"
#include "engine/side_jobs.h"
#include "engine/speeds.h"
#include "engine/wall_clock_watch.h"
#include "engine/worker_thread.h"
#include "engine/yielding_budget.h"
#include "process/fence.h"
#include "process/probe.h"
#include "process/run_dir.h"
#include "readers/machine_memory.h"
#include "readers/memory_signals.h"
#include "readers/process_memory.h"
#include "readers/process_tree.h"
#include "store/journal.h"
#include "store/journal_line.h"
#include "store/store.h"

namespace hf::engine {

// Bodies take some 6 ms for each MB, so they are read within three seconds; a description takes a
// few milliseconds, and clients ask for all models' at once.
constexpr SideJobs::Limits kSideJobs{.jobs = 256, .bytes = 512U * 1024 * 1024};

class EngineState {
 protected:
  EngineState(Engine& self, boost::asio::io_context& io,
              std::shared_ptr<const config::Config> config)
      : self_(self),
        io_(io),
        config_(std::move(config)),
        core_timer_(io),
        memory_timer_(io),
        measure_timer_(io),
        others_timer_(io),
        rescan_timer_(io),
        save_timer_(io),
        page_cache_timer_(io),
        side_jobs_(io, kSideJobs) {}

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
  std::map<UserId, std::string> user_names_;  // of everybody who ever had a key
  std::map<std::uint64_t, CommandCallback> commands_;
  std::map<ModelId, Running> running_;
  int no_leases_ = 0;  // what a generation that is gone counts on
  std::uint64_t last_ticket_ = 0;
  std::uint64_t last_command_ = 0;
  std::function<void()> on_finished_;
  std::deque<Remembered> remembered_;  // the newest decisions, bounded

  std::map<store::MeasurementKey, store::Measurement> measurements_;
  RaisedEstimates raises_;
  std::map<ModelId, FailedAttempt> failed_;  // until a whole answer, or another file
  SpeedTable speeds_;
  SpeedSamples samples_;                            // of the listed models, for estimates
  std::map<ModelId, ModelCosts> costs_;             // as the core was told
  std::map<std::string, store::ModelStats> stats_;  // as last saved
  std::map<ModelId, Duration> stops_;               // how long the last one took
  RequestRecorder recorder_;                        // of what was not saved yet
  WallClockWatch wall_clock_;                       // by which the history is forgotten
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
  SideJobs side_jobs_;
  WorkerThread worker_;  // last: joined first
};

}  // namespace hf::engine
