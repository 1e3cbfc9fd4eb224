#include "engine/command_line.h"

#include <cstdlib>

#include "engine/side_files.h"
#include "gguf/repack.h"

namespace hf::engine {
namespace {

// For the C library: blocks of a mebibyte and more are mapped, and unmapped when they are freed. By
// itself it learns from the first picture to keep what pictures took, once for each thread that
// ever decoded one: 230 MB at rest instead of 95, after photographs of six million pixels.
constexpr const char* kLargeBlocksGoBack = "MALLOC_MMAP_THRESHOLD_=1048576";

// Adds flags, but only those that this engine knows: one it does not know ends it at once.
class Line {
 public:
  explicit Line(const process::EngineTraits& traits) : traits_(traits) {}

  bool add(const char* flag) {
    if (!traits_.has(flag)) {
      return false;
    }
    arguments_.emplace_back(flag);
    return true;
  }
  bool add(const char* flag, std::string value) {
    if (!add(flag)) {
      return false;
    }
    arguments_.push_back(std::move(value));
    return true;
  }
  void always(const char* flag, std::string value) {
    arguments_.emplace_back(flag);
    arguments_.push_back(std::move(value));
  }
  std::vector<std::string> take() && { return std::move(arguments_); }
  std::vector<std::string>& raw() { return arguments_; }

 private:
  const process::EngineTraits& traits_;
  std::vector<std::string> arguments_;
};

void add_load_mode(Line& line, config::LoadMode mode) {
  using config::LoadMode;
  if (mode == LoadMode::Auto || line.add("--load-mode", std::string(config::to_text(mode)))) {
    return;
  }
  // Before v0.5.0 there were two switches instead.
  if (mode == LoadMode::None) {
    line.add("--no-mmap");
  } else if (mode == LoadMode::Mlock || mode == LoadMode::MmapMlock) {
    line.add("--mlock");
  }
}

// Everything said outright: what the engine would choose depends on what is free at the moment. The
// numbers of layers as proportions give each card exactly so many (llama.cpp, load_tensors).
void add_cards(Line& line, const RunPlan& plan) {
  if (plan.gpu_layers) {
    const bool all = *plan.gpu_layers == config::GpuLayers::kAll;
    line.add("--n-gpu-layers", all ? "999" : std::to_string(*plan.gpu_layers));
  }
  if (!plan.cards_counted) {
    return;
  }
  std::string devices;
  std::string layers;
  for (const CardUse& card : plan.cards) {
    devices.append(devices.empty() ? "" : ",").append(card.device);
    layers.append(layers.empty() ? "" : ",").append(std::to_string(card.layers));
  }
  // Without a device named, even a model without layers there would compute its prompts on a card.
  line.add("--device", plan.cards.empty() ? "none" : devices);
  if (plan.cards.size() == 1) {
    line.add("--split-mode", "none");
    line.add("--main-gpu", "0");  // of the devices named
  } else if (plan.cards.size() > 1) {
    line.add("--split-mode", "layer");
    line.add("--tensor-split", layers);
  }
  // A draft model is charged to host RAM; the engine's default is every card.
  if (side_files(plan.extra).draft) {
    line.add("--device-draft", "none");
    line.add("--gpu-layers-draft", "0");
  }
  // The projector is charged to the first card; an engine that cannot be told puts it anywhere.
  if (!plan.mmproj_path.empty() &&
      (plan.cards.empty() || !line.add("--mmproj-device", plan.cards.front().device))) {
    line.add("--no-mmproj-offload");
  }
}

void add_kind(Line& line, const RunPlan& plan) {
  switch (plan.kind) {
    case ModelKind::Chat:
      // Without --embeddings a child answers 501 to them, with pooling none 400; with both it
      // serves text and embeddings, and greedy text stays the same. Not `mean`: see --kv-unified
      // above, which chats would pay for; of the last token an input of any length can be split.
      if (plan.embeddings && line.add("--embeddings")) {
        line.add("--pooling", "last");
      }
      break;
    case ModelKind::Embedding:
      line.add("--embeddings");  // the file says its pooling
      break;
    case ModelKind::Reranker:
      line.add("--reranking");
      break;
    case ModelKind::Command:
      break;  // it has a line of its own
  }
}

// The engine's own default, f16, is left unsaid.
void add_cache_types(Line& line, const RunPlan& plan) {
  using config::CacheType;
  if (plan.cache_type_k != CacheType::F16) {
    line.add("--cache-type-k", std::string(config::to_text(plan.cache_type_k)));
  }
  if (plan.cache_type_v != CacheType::F16) {
    line.add("--cache-type-v", std::string(config::to_text(plan.cache_type_v)));
  }
  if (config::is_quantised(plan.cache_type_v)) {
    line.add("--flash-attn", "on");  // else the engine refuses such values
  }
}

}  // namespace

std::vector<std::string> command_line(const RunPlan& plan, const std::string& socket_path,
                                      const process::EngineTraits& traits) {
  Line line(traits);
  line.always("--model", plan.model_path);
  if (!plan.mmproj_path.empty()) {
    line.add("--mmproj", plan.mmproj_path);
  }
  line.always("--host", socket_path);
  line.add("--alias", plan.name);
  if (!line.add("--no-ui")) {
    line.add("--no-webui");
  }
  line.add("--no-slots");
  line.add("--offline");
  line.add("--cors-origins", "localhost");
  line.add("--fit", "off");  // it would shrink what was asked for without telling the ledger
  // A CPU backend may copy the weights into a layout of its own: twice the memory, and the copy is
  // made anew at each load, where mapped weights come back from the page cache.
  line.add("--no-repack");
  if (plan.threads > 0) {
    line.add("--threads", std::to_string(plan.threads));
  }
  line.add("--ctx-size", std::to_string(static_cast<long long>(plan.context) * plan.parallel));
  line.add("--parallel", std::to_string(plan.parallel));
  if (plan.batch > 0) {
    line.add("--batch-size", std::to_string(plan.batch));
    line.add("--ubatch-size", std::to_string(plan.batch));
    // Where each slot has a cache of its own the engine computes equal pieces of all inputs of a
    // batch, and averages the last piece of a longer one only (seen with v0.5.0: the same text got
    // another vector alone than beside others).
    if (line.add("--kv-unified")) {
      line.add("--kv-unified-per-slot", std::to_string(plan.context));
    }
  }
  line.add("--cache-ram", std::to_string(plan.cache_ram.count / kMiB.count));
  line.add("--ctx-checkpoints", std::to_string(plan.context_checkpoints));
  if (plan.swa_full) {
    line.add("--swa-full");
  }
  add_cache_types(line, plan);
  add_cards(line, plan);
  add_load_mode(line, plan.load_mode);
  add_kind(line, plan);
  line.raw().insert(line.raw().end(), plan.extra.begin(), plan.extra.end());
  return std::move(line).take();
}

std::vector<std::string> child_environment(CardOrder order, const RunPlan* plan) {
  // LLAMA_SERVER_ROUTER_PORT makes the stock server print its state on standard output and end when
  // its standard input closes. Nothing listens on that port.
  std::vector<std::string> environment{"LANG=C.UTF-8", "LLAMA_SERVER_ROUTER_PORT=1"};
  if (order == CardOrder::OfTheBus) {
    environment.emplace_back("CUDA_DEVICE_ORDER=PCI_BUS_ID");
  }
  if (plan != nullptr && !plan->mmproj_path.empty()) {
    environment.emplace_back(kLargeBlocksGoBack);
  }
  // Which cards may be used is the one thing that drivers take from the environment only.
  for (const char* name : {"CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES",
                           "GGML_VK_VISIBLE_DEVICES"}) {
    if (const char* value = std::getenv(name)) {
      environment.push_back(std::string(name) + "=" + value);
    }
  }
  return environment;
}

std::string options_key(const RunPlan& plan) {
  if (plan.command) {
    return "command np=" + std::to_string(plan.parallel) + ' ' + fingerprint(*plan.command);
  }
  std::string key =
      "ctx=" + std::to_string(plan.context) + " np=" + std::to_string(plan.parallel) +
      " cram=" + std::to_string(plan.cache_ram.count) +
      " ckpt=" + std::to_string(plan.context_checkpoints) +
      " swa=" + std::to_string(plan.swa_full ? 1 : 0) + " t=" + std::to_string(plan.threads) +
      " cpu=" + std::to_string(static_cast<int>(gguf::host_repack())) +
      " ngl=" + (plan.gpu_layers ? std::to_string(*plan.gpu_layers) : std::string("auto")) +
      " lm=" + std::string(config::to_text(plan.load_mode)) +
      " ctk=" + std::string(config::to_text(plan.cache_type_k)) +
      " ctv=" + std::string(config::to_text(plan.cache_type_v)) + " emb=" +
      (plan.embeddings_reserved ? "2"
       : plan.embeddings        ? "1"
                                : "0");
  if (plan.batch > 0) {
    key += " b=" + std::to_string(plan.batch);
  }
  if (!plan.mmproj_path.empty()) {
    key += " mmproj=" + plan.mmproj_path;
  }
  if (plan.cards_counted) {
    key += plan.cards.empty() ? " dev=none" : " dev=";
    for (const CardUse& card : plan.cards) {
      key.append(card.device).append(":").append(std::to_string(card.layers)).append(";");
    }
  }
  for (const std::string& argument : plan.extra) {
    key += ' ' + argument;
  }
  return key;
}

}  // namespace hf::engine
