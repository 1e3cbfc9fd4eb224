#include "gguf/cost.h"

#include <algorithm>
#include <cstdint>

#include "base/assert.h"
#include "gguf/architecture.h"
#include "gguf/cache_size.h"
#include "gguf/compute_size.h"
#include "gguf/saturating.h"

namespace hf::gguf {
namespace {

// Pages of the program and its libraries, most of which it shares with nobody. Measured: 8.4 MB of
// the program, and half of the 4.3 MB of libraries, because the server that starts it uses the same
// ones.
constexpr std::uint64_t kProgramBytes = 11'000'000;
// Heap, threads and stacks of a child with one slot and an empty model.
constexpr std::uint64_t kHeapBytes = 5'500'000;
// The same where no text is generated, with one graph instead of three.
constexpr std::uint64_t kEncoderHeapBytes = 4'500'000;
// A slot: its thread for requests, with a heap of its own, and its samplers.
constexpr std::uint64_t kBytesPerSlot = 400'000;
// Per cell of a cache: its entry, and a node in the index of positions.
constexpr std::uint64_t kBytesPerCell = 110;
// Per token of a prompt: as text, as JSON and as numbers, while a slot's request is read (measured:
// 150 bytes where it comes as numbers, 240 as words of five letters in a chat); and what the heaps
// of the threads that read earlier ones keep.
constexpr std::uint64_t kBytesPerPromptToken = 250;
constexpr std::uint64_t kKeptPerPromptToken = 80;
// Per token of the vocabulary: its text, attributes and hash table entry. Measured with 262,144
// tokens: about 170 bytes each.
constexpr std::uint64_t kBytesPerToken = 185;
// Per merge of a byte-pair tokenizer: a hash table entry that holds two texts.
constexpr std::uint64_t kBytesPerMerge = 175;
// Samplers keep a candidate of 12 bytes per token of the vocabulary and slot, and a bias.
constexpr std::uint64_t kBytesPerCandidate = 20;
// Per node of the three graphs that are kept: llama_context::graph_max_nodes says how many there
// may be.
constexpr std::uint64_t kBytesPerNode = 2'000;
constexpr std::uint64_t kNodesPerTensor = 8;
constexpr std::uint64_t kNodesLeast = 1'024;
// The heap grows a little while states of many sizes come and go.
constexpr std::uint64_t kCacheGrowthDivisor = 64;

// What lies on cards: of the layers there, and the output matrix (the token embedding, if that is
// the same).
std::uint64_t offloaded_weights(const Header& header, const RunOptions& options) {
  std::uint64_t bytes = 0;
  for (std::uint32_t layer = 0; layer < header.tensors.layers.size(); ++layer) {
    if (is_offloaded(header, options, layer)) {
      bytes = plus(bytes, count_of(header.tensors.layers[layer]));
    }
  }
  return options.gpu_layers > 0 ? plus(bytes, count_of(header.tensors.output)) : bytes;
}

std::uint64_t device_weights(const Header& header, const RunOptions& options) {
  const std::uint64_t bytes = offloaded_weights(header, options);
  const bool tied = options.gpu_layers > 0 && header.tensors.output.count == 0;
  return tied ? plus(bytes, count_of(header.tensors.token_embedding)) : bytes;
}

// The engine unmaps what lies before the first and behind the last tensor that stays on the host:
// the header, and with layers on a card their part of the file (converters write layers in order).
std::uint64_t host_weights(const Header& header, const RunOptions& options) {
  const std::uint64_t all = count_of(header.tensors.total);
  std::uint64_t bytes = all - std::min(all, offloaded_weights(header, options));
  bytes = plus(bytes, count_of(options.mmproj));
  if (options.load_mode == LoadMode::Mapped) {
    bytes = plus(bytes, copied_weights(header, options.repack));
  }
  return bytes;
}

std::uint64_t cells_of(const Header& header, const RunOptions& options) {
  if (keeps_no_cache(header.architecture)) {
    return 0;
  }
  std::uint64_t cells = slot_cells(options);
  if (needs_swa_full(header)) {
    cells = plus(cells, window_cells(header, options));
  }
  return times(cells, options.parallel);
}

std::uint64_t overhead(const Header& header, const RunOptions& options) {
  const std::uint64_t tokenizer =
      plus(times(header.vocab_size, kBytesPerToken), times(header.merge_count, kBytesPerMerge));
  const bool encodes = keeps_no_cache(header.architecture);
  const std::uint64_t nodes =
      std::max(kNodesLeast, times(kNodesPerTensor, header.tensors.count)) / (encodes ? 3 : 1);
  const std::uint64_t slots =
      times(options.parallel, plus(kBytesPerSlot, times(header.vocab_size, kBytesPerCandidate)));
  const std::uint64_t prompts =
      times(slot_cells(options),
            plus(times(options.parallel, kBytesPerPromptToken), kKeptPerPromptToken));
  return plus(plus(kProgramBytes, encodes ? kEncoderHeapBytes : kHeapBytes, tokenizer), slots,
              prompts,
              plus(times(cells_of(header, options), kBytesPerCell), times(nodes, kBytesPerNode)));
}

// What cannot be computed backwards: states, and windows that have moved on.
std::uint64_t checkpoint_bytes(const SlotMemory& slot, const RunOptions& options) {
  return plus(slot.state, options.swa_full ? 0 : slot.window_in_sight);
}

}  // namespace

Bytes prompt_bytes(const Header& header, const RunOptions& options) {
  // Beside the caches themselves: position and owners of each cell, and the token.
  constexpr std::uint64_t kMetaPerCell = 16;
  const SlotMemory slot = slot_memory(header, options);
  return to_bytes(
      plus(plus(slot.whole, slot.window_in_sight, slot.state),
           times(checkpoint_bytes(slot, options), options.ctx_checkpoints),
           times(cells_of(header, options) / std::max(1U, options.parallel), kMetaPerCell)));
}

Cost predict_cost(const Header& header, const RunOptions& options) {
  HF_ASSERT(options.context > 0 && options.parallel > 0, "a child without context or slots");
  HF_ASSERT(options.batch > 0 && options.ubatch > 0, "a child without a batch");
  const SlotMemory slot = slot_memory(header, options);
  const ComputeSize compute = compute_size(header, options);
  const bool all_offloaded = options.gpu_layers > header.block_count;
  Cost cost;
  cost.weights = to_bytes(host_weights(header, options));
  cost.kv_cache = to_bytes(times(slot.total() - slot.on_device, options.parallel));
  cost.compute = to_bytes(plus(all_offloaded ? compute.inputs : compute.scratch, compute.outputs));
  if (options.cache_ram.count > 0) {
    // The engine makes room before it puts a prompt in, and skips one that is larger than all.
    const std::uint64_t most = count_of(options.cache_ram);
    cost.cache_ram = to_bytes(plus(most, most / kCacheGrowthDivisor));
  }
  cost.checkpoints =
      to_bytes(times(checkpoint_bytes(slot, options), options.ctx_checkpoints, options.parallel));
  cost.process_overhead = to_bytes(overhead(header, options));
  if (options.gpu_layers > 0) {
    cost.device =
        to_bytes(plus(device_weights(header, options), times(slot.on_device, options.parallel)));
    cost.device_compute = to_bytes(compute.scratch);
  }
  return cost;
}

}  // namespace hf::gguf
