#pragma once
// What the engine does with a layer of a model, as far as memory goes: which layers remember the
// whole context, which only a window of it, which keep a state of fixed size. Exists because that
// follows from rules per architecture that files do not spell out. Pure; any thread. Source:
// load_arch_hparams of each model and create_memory in llama.cpp v0.5.0. Where a rule is not known
// here the answer is "whole context", so that a cost stays an upper bound.

#include <cstdint>
#include <string_view>

#include "gguf/header.h"

namespace hf::gguf {

struct LayerMemory {
  bool whole_context = false;  // keys and values of every token
  bool window = false;         // keys and values of the tokens of the window
  bool state = false;          // a state per slot, of fixed size
};
LayerMemory layer_memory(const Header& header, std::uint32_t layer);

// Tokens of the sliding window that the engine applies; 0 = none, whatever the file states.
std::uint32_t effective_window(const Header& header);

// True when at least one layer has a window. Such a child needs --swa-full for a saved slot to be
// worth anything: without it a restore reports all tokens and the next answer reads all of them
// again.
bool needs_swa_full(const Header& header);

// True for encoders and diffusion models: they keep nothing between batches.
bool keeps_no_cache(std::string_view architecture);

}  // namespace hf::gguf
