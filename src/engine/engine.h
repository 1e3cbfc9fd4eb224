#pragma once
// The driver: turns what happens (requests, child exits, timers, readings) into events for the
// core, performs the core's actions, and owns everything that has a life of its own: children,
// leases, timers. Why it is between api and core: api knows dialects and no rules, core knows rules
// and no sockets. One loop thread; callbacks come from the loop, never from inside the call that
// took them.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/time.h"
#include "config/config.h"
#include "core/action.h"
#include "core/event.h"
#include "core/reason.h"
#include "core/view.h"
#include "engine/model_costs.h"
#include "readers/memory_signals.h"

namespace boost::asio {
class io_context;
}

namespace hf::engine {

class Engine;

// A request's hold on one generation of a child. While it lives, that child is not stopped (force
// and the drain deadline excepted). Move-only; the destructor releases it.
class Lease {
 public:
  Lease() = default;
  Lease(Engine& engine, TicketId ticket) : engine_(&engine), ticket_(ticket) {}
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() { release(); }

  // Releases now; further calls do nothing. `complete`: a whole answer was given, which proves that
  // the child works (its count of crashes starts afresh).
  void release(bool complete = false);
  // The core took the lease away (request limit, stalled reader, dead child, force): called once,
  // after which release() is a no-op. Set it as soon as the lease is had.
  void on_cut(std::function<void(const core::Reason&)> callback);
  // The client takes nothing although bytes wait for it / takes again.
  void reader_stalled(bool stalled);
  [[nodiscard]] TicketId ticket() const { return ticket_; }
  [[nodiscard]] bool held() const { return engine_ != nullptr; }

 private:
  Engine* engine_ = nullptr;
  TicketId ticket_;
};

// What a request was told when it had to wait: for its answer's headers.
struct Promise {
  core::TicketView ticket;
  core::WaitingFor waiting_for = core::WaitingFor::Memory;
  std::vector<std::string> blockers;  // names of the models it waited for
};

struct Granted {
  Lease lease;
  std::string socket_path;
  Generation generation;
  Duration waited{};
  std::optional<Promise> promise;  // nullopt: it did not wait
};

// Why a ticket was not granted. `message` is for the client, without the model's name: no paths, no
// arguments.
struct Refusal {
  core::Reason reason;
  Duration retry_after{};  // zero: retrying will not help
  std::string message;
  std::string hint;  // the next step; "": none
  Duration waited{};
  std::optional<Promise> promise;  // nullopt: it did not wait
};

using Outcome = tl::expected<Granted, Refusal>;
using AcquireCallback = std::function<void(Outcome)>;

struct CommandResult {
  core::action::AnswerCode code = core::action::AnswerCode::Done;
  std::vector<std::string> unloading;
  std::vector<std::string> kept;
  std::vector<std::string> protected_models;
  std::string card;  // on which a pin does not fit: " on cuda0"; "": in host RAM
};
using CommandCallback = std::function<void(CommandResult)>;

// The latest attempt to serve a model that failed, unless a whole answer came since.
struct LastFailure {
  Duration age{};
  std::string cause;  // for clients
  int in_a_row = 1;
  bool of_file = false;  // its file was found to be unusable; nothing was started
};

struct ModelStatus {
  ModelId id;
  core::ModelView view;
  std::vector<std::string> aliases;
  int pid = 0;
  double load_progress = 0;  // 0…1 while loading
  std::string kind;          // "chat", "embedding", "reranker"; "" while the file is unreadable
  std::string architecture;
  std::int64_t context = 0;  // tokens one request may use
  std::int64_t trained_context = 0;
  int parallel = 0;
  Bytes file_size{0};
  std::int64_t created_unix_s = 0;  // the file's modification time
  std::string problem;              // why it cannot be served, for clients; "" if it can
  std::optional<Refusal> refusal;   // of a request that came now; nullopt: it would be served
  std::optional<LastFailure> last_failure;
  std::string pin_problem;  // why the pin that is configured is not done yet, for clients; ""
  ModelCosts costs;
};

struct WaitStatus {
  core::WaitView view;
  std::string model;
  std::vector<std::string> blockers;
};

enum class Overall { Ok, Degraded, Full };

// How it is noticed that tasks stand still for want of memory (readers/ladder.h).
enum class StallSource { PsiTrigger, Psi, None };

// A memory domain of the machine, host RAM first: the order is that of a core::Footprint.
struct DomainStatus {
  std::string name;  // "host", "cuda0"
  Bytes total{0};
  Bytes used{0};  // by everybody, as last read
};

struct Status {
  Overall overall = Overall::Ok;
  std::vector<std::string> warnings;  // why it is not ok
  std::vector<ModelStatus> models;    // all listed ones, sorted by name
  std::vector<WaitStatus> waiting;
  core::MemoryView memory;
  std::optional<readers::MemorySignals> machine;  // as last read; nullopt: it cannot be
  StallSource stall_source = StallSource::None;
  Bytes full_budget;  // the budget, if others did not use more than at the start
  std::vector<DomainStatus> domains;
  bool draining = false;
  Duration uptime{};
  std::string engine_version;
};

// What a reload did. Names are sorted.
struct Reloaded {
  std::shared_ptr<const config::Config> config;  // runs from now on
  std::vector<std::string> added;
  std::vector<std::string> removed;         // a child in use drains
  std::vector<std::string> restarted;       // runs with something else; a loaded child drains first
  std::vector<std::string> changed;         // in what is decided about it, without a restart
  std::vector<std::string> settings;        // keys as in the file, without those of single models
  std::vector<std::string> restart_needed;  // keys whose change was ignored
};
// Where a reload takes its configuration from.
struct ConfigReader {
  std::string name;  // of the file, for messages
  // Called and destroyed on the worker: it may block, and owns what it uses. Its errors are passed
  // on.
  std::function<Result<config::Config>()> read;
};
// Errors: those of the reader; Unavailable while the server shuts down; InvalidArgument if the
// configuration must not run beside what is read at the start only, or if another models_dir than
// now cannot be read; Internal if memory ran out.
using ReloadCallback = std::function<void(Result<Reloaded>)>;

struct NotFound {
  std::string asked;
  std::vector<std::string> near;  // likely names, best first, at most 3
};

// A line of `explain`: one remembered decision about a model.
struct Decision {
  std::int64_t age_ms = 0;
  std::string event;
  std::string reason_code;
  std::string text;
};

class Engine {
 public:
  // Borrows the context. `config` is shared and immutable.
  Engine(boost::asio::io_context& io, std::shared_ptr<const config::Config> config);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Probes the engine program, opens store, journal and run directory, reads the models. A broken
  // model is a warning; an engine program that cannot run, or a run directory that cannot be made,
  // is an error.
  Result<void> start();
  // Drains and stops all children; `done` is called when none is left. A second call ends the drain
  // now.
  void shutdown(std::function<void()> done);
  // After the loop's end. False: a thread hangs in a driver of the cards and was left behind. It
  // uses nothing of the engine any more, but the process must end beside it: by std::_Exit.
  [[nodiscard]] bool end_threads();

  // The model of that name (exact, alias, or with ":latest" taken off).
  [[nodiscard]] tl::expected<ModelId, NotFound> resolve(std::string_view name) const;
  [[nodiscard]] std::string name_of(ModelId model) const;

  // Asks for a lease. The file is looked at again first if it changed since it was costed. Cancel
  // by ticket while it has not been answered.
  TicketId acquire(ModelId model, UserId user, AcquireCallback callback);
  void cancel(TicketId ticket);
  // As acquire(), but only until the model is ready: the Granted carries an empty lease.
  TicketId load(ModelId model, UserId user, AcquireCallback callback);

  void unload(ModelId model, core::UnloadMode mode, std::string who, CommandCallback callback);
  void cleanup(core::CleanupLevel level, CommandCallback callback);
  void pin(ModelId model, bool pinned, CommandCallback callback);
  // Takes over what changed; reloads come one after another. Files are read on the worker; the
  // callback is called in the same step in which the new configuration begins to count, so that
  // who else holds one can change with it.
  void reload(ConfigReader reader, ReloadCallback callback);

  [[nodiscard]] Status status() const;
  [[nodiscard]] std::vector<Decision> decisions_about(ModelId model) const;
  // Those who wait for it, in the order in which they will be granted.
  [[nodiscard]] std::vector<core::TicketView> tickets_of(ModelId model) const;

 private:
  friend class Lease;
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hf::engine
