#pragma once
// How a child is run, as far as its memory goes. Plain values; any thread.

#include <cstdint>

#include "base/bytes.h"
#include "gguf/repack.h"
#include "gguf/tensor_type.h"

namespace hf::gguf {

// --load-mode. With a mapped file the weights are file pages; read into memory they are anonymous.
enum class LoadMode { Mapped, Read };

struct RunOptions {
  std::uint32_t context = 4096;  // tokens of one request; the child gets context * parallel
  std::uint32_t parallel = 4;    // slots
  TensorType cache_type_k = TensorType::F16;
  TensorType cache_type_v = TensorType::F16;
  Bytes cache_ram;                    // --cache-ram; 0: off
  std::uint32_t ctx_checkpoints = 0;  // per slot; models with windows or states only
  bool swa_full = false;
  bool flash_attention = true;  // the engine's choice ("auto") wherever it computes on a CPU
  LoadMode load_mode = LoadMode::Mapped;
  Repack repack = Repack::Off;
  // Layers that really go to a card. The engine counts the output matrix as the last one, so one
  // more than the model has means all of it; with `n` the last n - 1 layers and the output go.
  std::uint32_t gpu_layers = 0;
  std::uint32_t batch = 2048;  // the engine's defaults
  std::uint32_t ubatch = 512;
  std::uint32_t threads = 1;   // that compute
  bool unified_cache = false;  // the slots share one cache, and each token looks through it all
  bool embeddings = false;  // rows of a whole batch are asked for, not only the last of each slot
  Bytes mmproj;             // weights of the projector; 0: none
};

}  // namespace hf::gguf
