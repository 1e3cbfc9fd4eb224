#pragma once
// What would keep this machine from serving, and what each model would cost, found out without a
// server: the same steps as a start of the engine, but nothing is opened for writing and nothing
// runs but the engine's --help. It exists so that `doctor` and `serve` cannot disagree. Blocking;
// any thread.

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "config/config.h"
#include "engine/cards.h"
#include "engine/model_file.h"
#include "process/probe.h"
#include "readers/ladder.h"
#include "readers/machine_memory.h"
#include "readers/snapshot.h"

namespace hf::engine {

enum class Severity {
  Note,     // good to know
  Warning,  // it serves, but something will be worse than it could be
  Problem,  // it does not serve
};

struct Finding {
  Severity severity = Severity::Note;
  std::string text;
  std::string next_step;  // "": nothing to be done
};

// A server that answered, with its own figures; those of its figures that it keeps to itself (it
// wants a key) are nullopt.
struct RunningServer {
  std::string place;  // "127.0.0.1:11435"
  bool here = true;   // on this machine: its models are in this memory
  std::optional<Bytes> budget;
  std::optional<Bytes> reserved;
  std::optional<int> loaded;  // models
};

enum class BudgetSource { Configured, Server, Computed, Unknown };

struct ModelCheck {
  ModelFile file;
  bool fits = false;  // by itself, into the whole budget, and its layers on the cards
  [[nodiscard]] bool can_be_served() const { return file.problem.empty() && fits; }
};

struct CheckedCard {
  Card card;
  CardBudget terms;
};

struct Checkup {
  std::optional<process::EngineTraits> traits;  // nullopt: a finding says why
  std::optional<RunningServer> server;          // nullopt: none answers
  std::optional<readers::Snapshot> snapshot;    // nullopt: a finding says why
  std::optional<std::int64_t> overcommit;       // vm.overcommit_memory
  std::int64_t descriptors = 0;                 // that a server may raise its limit to
  std::optional<readers::BudgetTerms> terms;    // the default budget, whichever holds
  Bytes budget;
  BudgetSource budget_source = BudgetSource::Unknown;
  std::vector<CheckedCard> cards;  // that are counted
  std::vector<readers::Need> ladder;
  std::vector<ModelCheck> models;     // by name; adapters and the like are left out
  std::optional<Bytes> models_space;  // free on the disk of models_dir
  std::vector<Finding> findings;      // the gravest first

  [[nodiscard]] bool can_serve() const;
};

Checkup check_up(const config::Config& config, std::optional<RunningServer> server);

// Fills in the findings; pure but for looking whether files may be written. Of check_up(), apart
// for its tests.
std::vector<Finding> findings_of(const Checkup& checkup, const config::Config& config);

// Fills in the cards and their rung. Waits for the driver. Returns where models can be placed.
CardRoom check_cards(Checkup& checkup, const config::Config& config);

// Why a file at that path cannot be written or made; "" if it can. Nothing is touched.
std::string why_not_writable(const std::filesystem::path& path);

}  // namespace hf::engine
