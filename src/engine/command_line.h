#pragma once
// The argument vector and the environment of one engine child. Why apart: every option of the stock
// server can also be set by environment and has defaults that a shared box cannot live with (8 GiB
// of prompt cache a child, any web origin, a web page), so each one that matters is written out
// here, for the version at hand. Pure functions, any thread.

#include <string>
#include <vector>

#include "base/bytes.h"
#include "config/config.h"
#include "process/probe.h"

namespace hf::engine {

enum class ModelKind { Chat, Embedding, Reranker };

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
  int threads = 0;       // 0: the engine's choice, all cores
  bool swa_full = false;
  config::CacheType cache_type_k = config::CacheType::F16;
  config::CacheType cache_type_v = config::CacheType::F16;
  // Of a chat model; embedding models and rerankers always answer.
  bool embeddings = true;
  bool embeddings_reserved = false;  // the memory that they take is charged from the start
  std::optional<int> gpu_layers;     // config::GpuLayers::kAll: all; none: the engine decides
  int cards = 0;  // graphics cards that the engine will use; 0: all layers stay in RAM
  config::LoadMode load_mode = config::LoadMode::Auto;
  std::vector<std::string> extra;  // the administrator's, validated by config
};

std::vector<std::string> command_line(const RunPlan& plan, const std::string& socket_path,
                                      const process::EngineTraits& traits);
std::vector<std::string> child_environment();

// Everything that changes memory or speed, in a fixed order: the key under which measurements are
// kept.
std::string options_key(const RunPlan& plan);

}  // namespace hf::engine
