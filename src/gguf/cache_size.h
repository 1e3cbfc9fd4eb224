#pragma once
// What the slots of a child remember: keys and values, windows of them, recurrent states. Exists
// apart from the rest of the cost because most of a model's rules are here. Pure; any thread.
// Source: llama_kv_cache, llama_kv_cache_iswa and llama_memory_recurrent of llama.cpp v0.5.0.

#include <cstdint>

#include "gguf/header.h"
#include "gguf/run_options.h"

namespace hf::gguf {

struct HeadSizes {
  std::uint64_t keys = 0;  // numbers per token in the key cache of a layer
  std::uint64_t values = 0;
  std::uint64_t queries = 0;
};
HeadSizes head_sizes(const Header& header, std::uint32_t layer, bool window);

// Cells of one slot, as the engine rounds them up: of layers that see everything, and of layers
// with a window.
std::uint64_t slot_cells(const RunOptions& options);
std::uint64_t window_cells(const Header& header, const RunOptions& options);

// Bytes that one slot holds when it is full, by kind of memory.
struct SlotMemory {
  std::uint64_t whole = 0;
  std::uint64_t window = 0;
  std::uint64_t state = 0;
  std::uint64_t on_device = 0;  // of these three together
  // Of the windows, what is written when a prompt is kept aside: the cells that are still in sight,
  // whether the window's cache is of full size or not.
  std::uint64_t window_in_sight = 0;

  std::uint64_t total() const;
};
SlotMemory slot_memory(const Header& header, const RunOptions& options);

// True if that layer lies on a card.
bool is_offloaded(const Header& header, const RunOptions& options, std::uint32_t layer);

}  // namespace hf::gguf
