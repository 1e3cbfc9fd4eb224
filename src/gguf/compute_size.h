#pragma once
// What a child needs to compute: the scratch of one full batch, and the rows that come out of it.
// Pure; any thread. Source: llama_context::sched_reserve and output_reserve, ggml_graph_plan of
// llama.cpp v0.5.0, and the buffer sizes that it logs ("compute buffer size") for a few dozen
// shapes.

#include <cstdint>

#include "gguf/header.h"
#include "gguf/run_options.h"

namespace hf::gguf {

// Tokens of one batch that is computed at once.
std::uint64_t batch_rows(const RunOptions& options);
// Rows for which logits or embeddings are kept: the last token of each slot, or the whole batch.
std::uint64_t output_rows(const RunOptions& options);

struct ComputeSize {
  std::uint64_t scratch = 0;  // activations, masks and what matrix products copy
  std::uint64_t inputs = 0;   // of these, what stays on the host when all layers are on cards
  std::uint64_t outputs = 0;  // the buffer that answers are read from: always on the host
};
ComputeSize compute_size(const Header& header, const RunOptions& options);

}  // namespace hf::gguf
