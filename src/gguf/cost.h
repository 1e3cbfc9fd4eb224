#pragma once
// What one child will hold in memory at its peak, predicted from the file and the options: an upper
// bound, since memory is promised to models by it before they run. Exists because the engine's own
// figures come only after it has taken the memory. Host memory on a CPU: anonymous memory plus
// resident pages of files (RssAnon + RssFile of the child). Pure: no I/O; any thread. Source:
// llama.cpp v0.5.0 (KV caches, output buffer, graph reservation) and measured children; the
// constants in cost.cc say which.

#include <cstdint>

#include "base/bytes.h"
#include "gguf/header.h"

namespace hf::gguf {

// --load-mode. With a mapped file the weights are file pages; read into memory they are anonymous.
enum class LoadMode { Mapped, Read };

// Which layouts of its own the CPU backend copies weights into (unless --no-repack). The copy comes
// on top of the mapped file, so such a model takes up to twice its size.
enum class Repack {
  Off,  // --no-repack, or a CPU without a layout of its own
  Avx2,
  Avx512,
  Amx,
  Neon,
};
// For this machine, if the engine was built for it.
Repack host_repack();

struct RunOptions {
  std::uint32_t context = 4096;  // tokens of one request; the child gets context * parallel
  std::uint32_t parallel = 4;    // slots
  TensorType cache_type_k = TensorType::F16;
  TensorType cache_type_v = TensorType::F16;
  Bytes cache_ram;                    // --cache-ram; 0: off
  std::uint32_t ctx_checkpoints = 0;  // per slot; models with windows or states only
  bool swa_full = false;
  LoadMode load_mode = LoadMode::Mapped;
  Repack repack = Repack::Off;
  std::uint32_t gpu_layers = 0;
  std::uint32_t batch = 2048;  // the engine's defaults
  std::uint32_t ubatch = 512;
  bool embeddings = false;
  Bytes mmproj;  // size of the projector file; 0: none
};

struct Cost {
  Bytes weights;    // of the model and its projector, with copies in other layouts
  Bytes kv_cache;   // keys and values, and recurrent states
  Bytes compute;    // scratch of a full batch, and the output buffer
  Bytes cache_ram;  // prompts kept aside
  Bytes checkpoints;
  Bytes process_overhead;  // program, tokenizer, connections
  // What the last `gpu_layers` layers take on the device(s). Host figures do not shrink by it: the
  // file stays mapped.
  Bytes device;

  Bytes total() const {
    return weights + kv_cache + compute + cache_ram + checkpoints + process_overhead;
  }
};

// Requires: context, parallel, batch and ubatch are not 0. Never overflows: absurd products end at
// 2^55 bytes per part.
Cost predict_cost(const Header& header, const RunOptions& options);

}  // namespace hf::gguf
