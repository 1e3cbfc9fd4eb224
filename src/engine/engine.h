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
#include "engine/abilities.h"
#include "engine/model_traits.h"
#include "engine/refusal.h"
#include "engine/side_jobs.h"
#include "engine/status.h"

namespace boost::asio {
class io_context;
}

namespace hf::engine {

class Engine;

enum class LeaseEnd {
  BrokenOff,
  Answered,  // a whole answer, which proves that the child works (its count of crashes starts
             // afresh)
  Other,     // as Answered, but how long it took says nothing: an error, a WebSocket
};

// A request's hold on one generation of a child. While it lives, that child is not stopped (force
// and the drain deadline excepted). Move-only; the destructor releases it.
class Lease {
 public:
  Lease() = default;
  Lease(Engine& engine, TicketId ticket) : engine_(&engine), ticket_(ticket) {}
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() { release(); }

  // Releases now; further calls do nothing.
  void release(LeaseEnd end = LeaseEnd::BrokenOff);
  // The core took the lease away (request limit, stalled reader, dead child, force): called once,
  // after which release() is a no-op. Set it as soon as the lease is had.
  void on_cut(std::function<void(const core::Reason&)> callback);
  // What follows will not end by itself, as an answer does.
  void open_ended();
  // The client takes nothing although bytes wait for it / takes again.
  void reader_stalled(bool stalled);
  [[nodiscard]] TicketId ticket() const { return ticket_; }
  [[nodiscard]] bool held() const { return engine_ != nullptr; }

 private:
  Engine* engine_ = nullptr;
  TicketId ticket_;
};

struct Granted {
  Lease lease;
  std::string socket_path;  // where to send the request, or
  std::uint16_t port = 0;   // not 0: a port of 127.0.0.1
  Generation generation;
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

// Errors: those of reading the file; ResourceExhausted if memory ran out.
using DescribeCallback = std::function<void(Result<std::string>)>;
struct DescriptionOf {
  UserId user{};  // who asks
  gguf::Detail detail = gguf::Detail::Brief;
  DescriptionText text{};
};

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
  // From now on this user is called so in the status and the journal. An id is given once.
  void name_user(UserId user, std::string name);
  [[nodiscard]] ModelTraits traits_of(ModelId model) const;
  // What the model's file says of itself, as `text` tells it; read when asked, beside the loop, in
  // the name of `user`. nullopt: as beside_loop().
  std::optional<SideJobId> describe(ModelId model, DescriptionOf what, DescribeCallback callback);
  // What people ask for and would hold the loop, see SideJobs. nullopt: too much of it waits, and
  // nothing will be called.
  std::optional<SideJobId> beside_loop(SideJob job);
  // Nobody waits for it any more: it is not called back.
  void give_up(SideJobId id);
  [[nodiscard]] Abilities abilities_of(ModelId model) const;

  // Asks for a lease. The file is looked at again first if it changed since it was costed. Cancel
  // by ticket while it has not been answered.
  TicketId acquire(ModelId model, UserId user, AcquireCallback callback);
  void cancel(TicketId ticket);
  // As acquire(), but only until the model is ready: the Granted carries an empty lease. `who` gave
  // that command, for the journal; "": nobody did, or another command that was told there.
  TicketId load(ModelId model, UserId user, const std::string& who, AcquireCallback callback);

  void unload(ModelId model, core::UnloadMode mode, std::string who, CommandCallback callback);
  // Unloads it if nobody uses it or waits for it and it is not pinned, nor meant to be: what a user
  // may ask for who is done with it. No pin is cleared. Calls back with false if it stays; unless
  // `allowed` it does, if it is there.
  void let_go(ModelId model, bool allowed, std::string who, std::function<void(bool)> callback);
  void cleanup(core::CleanupLevel level, std::string who, CommandCallback callback);
  void pin(ModelId model, bool pinned, std::string who, CommandCallback callback);
  // Takes over what changed; reloads come one after another. Files are read on the worker; the
  // callback is called in the same step in which the new configuration begins to count, so that
  // who else holds one can change with it.
  void reload(ConfigReader reader, ReloadCallback callback);

  [[nodiscard]] Status status() const;
  [[nodiscard]] std::vector<Decision> decisions_about(ModelId model) const;
  // nullopt: it does not wait (any more), or the core has not heard of it yet.
  [[nodiscard]] std::optional<WaitNow> wait_of(TicketId ticket) const;
  // Those who wait for it, in the order in which they will be granted.
  [[nodiscard]] std::vector<core::TicketView> tickets_of(ModelId model) const;

 private:
  friend class Lease;
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hf::engine
