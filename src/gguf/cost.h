#pragma once
// What one child will hold in memory at its peak, predicted from the file and the options: an upper
// bound that is meant to be close, since memory is promised to models by it before they run. Exists
// because the engine's own figures come only after it has taken the memory. On a CPU: RssAnon +
// RssFile of the child. Pure: no I/O; any thread. Source: llama.cpp v0.5.0 and measured children;
// docs/memory.md has the table of predictions and measurements (bench/prediction.py).

#include <cstdint>

#include "base/bytes.h"
#include "gguf/header.h"
#include "gguf/run_options.h"

namespace hf::gguf {

struct Cost {
  // Host RAM. Weights of the model and its projector, with copies in other layouts; those that lie
  // on a card are not among them.
  Bytes weights;
  Bytes kv_cache;   // keys and values, and recurrent states
  Bytes compute;    // scratch of a full batch, the output buffer; pictures are added (projector.h)
  Bytes cache_ram;  // prompts kept aside
  Bytes checkpoints;
  Bytes process_overhead;  // program, tokenizer, graphs, book-keeping of cells, connections
  // Cards. Weights and caches of the layers that are there, on all cards together…
  Bytes device;
  // …and what each card that is used needs besides, to compute.
  Bytes device_compute;

  Bytes total() const {
    return weights + kv_cache + compute + cache_ram + checkpoints + process_overhead;
  }
};

// Requires: context, parallel, batch and ubatch are not 0. Never overflows: absurd products end at
// 2^55 bytes per part.
Cost predict_cost(const Header& header, const RunOptions& options);

// What the prompt cache needs for one prompt that fills its slot.
Bytes prompt_bytes(const Header& header, const RunOptions& options);

}  // namespace hf::gguf
