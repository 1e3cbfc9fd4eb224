#pragma once
// What a model file offers and what running it costs: found out before anything is loaded or
// anybody is asked to leave. Blocking (directory walks, header reads): at start or on the worker
// thread. The results are plain values.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "config/config.h"
#include "core/footprint.h"
#include "engine/command_line.h"
#include "engine/placement.h"
#include "gguf/cost.h"
#include "gguf/identity.h"

namespace hf::engine {

// A model by name, before its file was opened.
struct ModelSource {
  config::ModelConfig settings;  // its table, or the defaults
  std::filesystem::path path;    // "": a command that has none

  bool operator==(const ModelSource&) const = default;
};

// True if a child that runs for one serves the other as well: same files, same options. What only
// Holdfast decides by (aliases, pin, preload, priority, ttl, load_within, longest_answer) may
// differ.
bool runs_alike(const ModelSource& a, const ModelSource& b);

struct Found {
  std::vector<ModelSource> sources;   // sorted by name
  std::vector<std::string> warnings;  // for the log: what was passed over, and why
  // False if the walk broke off: then a model that is not among `sources` may exist all the same.
  bool complete = true;
};

// Every model of the configuration and every *.gguf below models_dir that is one: projectors
// (by their names) and later parts of split files are not, nor are files whose names could not be
// given in a request.
Found find_models(const config::Config& config);

struct ModelFile {
  ModelSource source;
  gguf::FileIdentity identity;  // of the first part; all zero if it could not be opened
  // Everything else that was looked at: later parts and the projector. Zero: it was not there.
  std::vector<std::pair<std::filesystem::path, gguf::FileIdentity>> companions;
  bool is_model = true;   // false: an adapter, a projector, a vocabulary: not offered
  std::string problem;    // why it cannot be served, for clients: no paths. "": it can
  std::string next_step;  // what to do about it, for clients, too
  std::string detail;     // the same for the log
  RunPlan plan;
  Bytes cost{0};             // peak in use, host RAM
  Bytes mapped{0};           // of these, pages of the files; 0: they are read into memory
  core::Footprint on_cards;  // peak in use on each card; domain 0 is empty
  bool fits_cards = true;    // false: more layers are configured than the cards can ever hold
  gguf::ProjectorShape projector{};
  gguf::Cost parts;            // what it consists of
  int wanted_context = 0;      // before it was shrunk so that the model fits
  Bytes file_size{0};          // all parts
  double bits_per_weight = 0;  // of its matrices; 0: not known
  std::uint64_t weights = 0;   // its parameters
  std::string quantisation;    // "Q4_K_M"; "": not known
  bool has_chat_template = false;
  std::string architecture;
  int trained_context = 0;
  std::int64_t modified_unix_s = 0;
};

// Opens and costs one model (make_plan.h says how; for a command command_model.h). `before`: what
// was known of the same model, whose place on the cards is kept if it can be; or null.
ModelFile inspect(const ModelSource& source, Bytes budget, const CardRoom& cards = {},
                  const ModelFile* before = nullptr);

// Which files a child reads, for the history: the identities of the model and of all companions.
std::string file_key(const ModelFile& file);

// True if what `file` was made from has changed on disk (or come, or gone).
bool has_changed(const ModelFile& file);

}  // namespace hf::engine
