#pragma once
// Which weights a CPU backend copies into layouts of its own (unless --no-repack). The copy comes
// on top of the mapped file, so such a model takes up to twice its size. Pure apart from
// host_repack; any thread. Source: ggml-cpu/repack.cpp and ggml-cpu/amx of llama.cpp v0.5.0.

#include <cstdint>

#include "gguf/header.h"

namespace hf::gguf {

enum class Repack {
  Off,  // --no-repack, or a CPU without a layout of its own
  Avx2,
  Avx512,
  Amx,
  Neon,
};
// For this machine, if the engine was built for it.
Repack host_repack();

// Bytes of the copies.
std::uint64_t copied_weights(const Header& header, Repack repack);

}  // namespace hf::gguf
