#pragma once
// The argument vector and the environment of one engine child. Why apart: every option of the stock
// server can also be set by environment and has defaults that a shared box cannot live with (8 GiB
// of prompt cache a child, any web origin, a web page), so each one that matters is written out
// here, for the version at hand. Pure functions, any thread.

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "config/config.h"
#include "engine/command_plan.h"
#include "process/probe.h"

namespace hf::engine {

enum class ModelKind { Chat, Embedding, Reranker, Command };

// A card as the engine names it, and how many layers it gets.
struct CardUse {
  std::string device;
  int layers = 0;

  bool operator==(const CardUse&) const = default;
};

// How one model is run: what the configuration, the file's header and the budget agreed on.
struct RunPlan {
  std::string model_path;
  std::string mmproj_path;  // "" none
  std::string name;
  ModelKind kind = ModelKind::Chat;
  int context = 4096;  // tokens one request may use; the child gets context x parallel
  int parallel = 4;
  Bytes cache_ram{0};
  int context_checkpoints = 0;
  int batch_rows = 512;  // tokens that are computed at once
  int batch = 0;         // what the engine is told about that; 0: nothing
  int threads = 0;       // 0: the engine's choice, all cores
  bool swa_full = false;
  config::CacheType cache_type_k = config::CacheType::F16;
  config::CacheType cache_type_v = config::CacheType::F16;
  // Of a chat model; embedding models and rerankers always answer.
  bool embeddings = true;
  bool embeddings_reserved = false;  // the memory that they take is charged from the start
  std::optional<int> gpu_layers;     // config::GpuLayers::kAll: all; none: the engine decides
  bool cards_counted = false;        // the engine is told which cards to use, even if it is none
  std::vector<CardUse> cards;        // in the engine's order; empty: none is used
  config::LoadMode load_mode = config::LoadMode::Auto;
  std::vector<std::string> extra;  // the administrator's, validated by config
  // Of kind Command, exactly: then of all this only model_path ("" none), name and parallel count.
  std::optional<CommandPlan> command;
};

std::vector<std::string> command_line(const RunPlan& plan, const std::string& socket_path,
                                      const process::EngineTraits& traits);
// NVML counts cards in the order of the bus; CUDA counts the fastest first unless it is told.
enum class CardOrder { AsItComes, OfTheBus };
// `plan`: of the model that it will serve; null: none, it is only asked something.
std::vector<std::string> child_environment(CardOrder order, const RunPlan* plan = nullptr);

// Everything that changes memory or speed, in a fixed order: the key under which measurements are
// kept. The kind of CPU is in it, as the layouts that it has of its own (gguf/repack.h): the
// history may have come from another machine.
std::string options_key(const RunPlan& plan);

}  // namespace hf::engine
