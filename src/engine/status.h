#pragma once
// What the engine shows of itself: values copied out for /health, the model lists, `explain`.
// No references into the engine, so that a status may be kept. Any thread.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/time.h"
#include "core/view.h"
#include "engine/model_costs.h"
#include "engine/refusal.h"
#include "readers/memory_signals.h"

namespace hf::engine {

// The latest attempt to serve a model that failed, unless a whole answer came since.
struct LastFailure {
  Duration age{};
  std::string cause;  // for clients
  int in_a_row = 1;
  bool of_file = false;  // its file was found to be unusable; nothing was started
};

// What one user has asked of a model and has not got whole yet.
struct UserUse {
  UserId user;
  int running = 0;
  int waiting = 0;
  Duration oldest{};  // since the earliest of these requests came
};

struct ModelStatus {
  ModelId id;
  core::ModelView view;
  std::vector<std::string> aliases;
  int pid = 0;
  double load_progress = 0;  // 0…1 while loading
  std::string kind;  // "chat", "embedding", "reranker", "command"; "" while the file is unreadable
  std::vector<std::string> abilities;  // "chat", "vision", … (engine/abilities.h)
  std::string architecture;
  std::int64_t context = 0;  // tokens one request may use; 0: not known, of a command
  std::int64_t trained_context = 0;
  int parallel = 0;
  Bytes file_size{0};
  std::int64_t created_unix_s = 0;  // the file's modification time
  std::string problem;              // why it cannot be served, for clients; "" if it can
  std::optional<Refusal> refusal;   // of a request that came now; nullopt: it would be served
  std::optional<LastFailure> last_failure;
  std::string pin_problem;  // why the pin that is configured is not done yet, for clients; ""
  ModelCosts costs;
  std::vector<UserUse> users;  // by id; those without a name (nobody in particular) are not told
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
  std::map<UserId, std::string> user_names;
  core::MemoryView memory;
  std::optional<readers::MemorySignals> machine;  // as last read; nullopt: it cannot be
  StallSource stall_source = StallSource::None;
  Bytes full_budget;  // the budget, if others did not use more than at the start
  std::vector<DomainStatus> domains;
  bool draining = false;
  Duration uptime{};
  std::string engine_version;
};

}  // namespace hf::engine
