#pragma once
// What a model is for, and the settings that follow from its header alone. Exists so that a child
// gets the right flags (--embeddings, --reranking) and defaults without anybody configuring them.
// Pure.

#include <cstdint>

#include "base/bytes.h"
#include "gguf/header.h"

namespace hf::gguf {

enum class Kind {
  Chat,        // has a chat template
  Completion,  // generates, but has no template
  Embedding,
  Reranker,
};

Kind kind_of(const Header& header);

// True if an input is computed in one batch, whole or not at all: its tokens look at those behind
// them, or are averaged. The engine splits inputs of other models.
bool reads_at_one_go(const Header& header);

// Tokens that one request may use: the trained context, at most 32,768 (and that if none is
// stated); where an input is read at one go less, because a batch as large takes its memory.
std::uint32_t default_context(const Header& header);

// For --cache-ram: an eighth of the weights, between 64 MiB and 2 GiB.
Bytes default_cache_ram(Bytes weights);

}  // namespace hf::gguf
