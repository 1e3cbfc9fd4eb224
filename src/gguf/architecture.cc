#include "gguf/architecture.h"

#include <algorithm>
#include <array>

namespace hf::gguf {
namespace {

// How layers with and without a window alternate when the file does not state it.
struct WindowRule {
  std::string_view architecture;
  std::uint32_t period;          // one layer in this many sees everything; 0: the file lists layers
  bool dense_first;              // that layer is the first of the period, else the last
  std::uint32_t default_window;  // when the file states none; 0: then there is no window
};
constexpr WindowRule kWindowRules[] = {
    {"afmoe", 4, false, 0},           {"cohere2", 4, false, 0},      {"cohere2moe", 4, true, 0},
    {"dots3note", 0, false, 0},       {"exaone-moe", 4, false, 128}, {"exaone4", 4, false, 0},
    {"gemma-embedding", 6, false, 0}, {"gemma2", 2, false, 4096},    {"gemma3", 6, false, 0},
    {"gemma3n", 5, false, 0},         {"gemma4", 0, false, 0},       {"gpt-oss", 2, false, 0},
    {"granite-swa", 0, false, 0},     {"laguna", 4, true, 0},        {"llama4", 4, false, 8192},
    {"maple", 0, false, 0},           {"mellum", 4, false, 0},       {"mimo2", 0, false, 0},
    {"muse-glimmer", 4, false, 0},    {"olmo2", 4, false, 0},        {"plamo3", 8, false, 0},
    {"smallthinker", 4, true, 0},     {"spark2-5", 0, false, 0},     {"step35", 0, false, 0},
};

constexpr std::string_view kNoCache[] = {
    "bert",
    "jina-bert-v2",
    "jina-bert-v3",
    "nomic-bert",
    "nomic-bert-moe",
    "neo-bert",
    "eurobert",
    "modern-bert",
    "wavtokenizer-dec",
    "gemma-embedding",
    "dream",
    "llada",
    "llada-moe",
    "rnd1",
};

constexpr std::string_view kRecurrentOnly[] = {"mamba", "mamba2",     "rwkv6",
                                               "rwkv7", "rwkv6qwen2", "arwkv7"};

// Hybrids whose every n-th layer attends (n = 4 when the file does not say).
constexpr std::string_view kIntervalHybrids[] = {"qwen3next", "qwen35", "qwen35moe", "qwen4exp",
                                                 "minimax-01"};
constexpr std::uint32_t kDefaultInterval = 4;

// gemma3n: layers from this one on use the cache of earlier ones (fixed in the engine).
constexpr std::uint32_t kGemma3nOwnCaches = 20;

template <class List>
bool contains(const List& list, std::string_view architecture) {
  return std::find(std::begin(list), std::end(list), architecture) != std::end(list);
}

const WindowRule* window_rule(std::string_view architecture) {
  const auto* const found =
      std::find_if(std::begin(kWindowRules), std::end(kWindowRules),
                   [&](const WindowRule& rule) { return rule.architecture == architecture; });
  return found == std::end(kWindowRules) ? nullptr : found;
}

bool has_window(const Header& header, std::uint32_t layer) {
  if (effective_window(header) == 0) {
    return false;
  }
  if (header.sliding_window_pattern.varies()) {
    return header.sliding_window_pattern.at(layer) != 0;
  }
  const WindowRule* const rule = window_rule(header.architecture);
  const std::uint32_t period = header.sliding_window_pattern.at(layer, rule->period);
  if (rule->period == 0 || period == 0) {
    return false;  // a list is missing: count every layer in full
  }
  return rule->dense_first ? layer % period != 0 : layer % period < period - 1;
}

bool is_recurrent(const Header& header, std::uint32_t layer) {
  if (contains(kRecurrentOnly, header.architecture)) {
    return true;
  }
  if (header.recurrent_layers.stated()) {
    return header.recurrent_layers.at(layer) != 0;
  }
  if (contains(kIntervalHybrids, header.architecture)) {
    const std::uint32_t interval =
        header.full_attention_interval != 0 ? header.full_attention_interval : kDefaultInterval;
    return (layer + 1) % interval != 0;
  }
  return header.has_recurrent_state() && header.head_count_kv.varies() &&
         header.head_count_kv.at(layer, 1) == 0;
}

bool uses_cache_of_another_layer(const Header& header, std::uint32_t layer) {
  const std::uint32_t shared = std::min(header.shared_kv_layers, header.block_count);
  return layer >= header.block_count - shared ||
         (header.architecture == "gemma3n" && layer >= kGemma3nOwnCaches);
}

}  // namespace

std::uint32_t effective_window(const Header& header) {
  const WindowRule* const rule = window_rule(header.architecture);
  if (rule == nullptr || header.block_count == 0) {
    return 0;
  }
  return header.sliding_window != 0 ? header.sliding_window : rule->default_window;
}

LayerMemory layer_memory(const Header& header, std::uint32_t layer) {
  LayerMemory memory;
  if (keeps_no_cache(header.architecture)) {
    return memory;
  }
  // falcon-h1: each layer attends and keeps a state as well.
  const bool both = header.architecture == "falcon-h1";
  memory.state = both || is_recurrent(header, layer);
  if ((memory.state && !both) || uses_cache_of_another_layer(header, layer)) {
    return memory;
  }
  memory.window = has_window(header, layer);
  memory.whole_context = !memory.window;
  return memory;
}

bool needs_swa_full(const Header& header) {
  for (std::uint32_t layer = 0; layer < header.block_count; ++layer) {
    if (layer_memory(header, layer).window) {
      return true;
    }
  }
  return false;
}

bool keeps_no_cache(std::string_view architecture) {
  return contains(kNoCache, architecture);
}

}  // namespace hf::gguf
