#include "gguf/cost.h"

#include <algorithm>
#include <array>
#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "base/assert.h"
#include "gguf/architecture.h"

namespace hf::gguf {
namespace {

// Every part ends here, so that sums of parts cannot overflow; no machine comes near it.
constexpr std::uint64_t kPartMax = std::uint64_t{1} << 55U;
// llama_context rounds the context of a slot up to this, and window caches as well.
constexpr std::uint64_t kCellPadding = 256;
constexpr std::uint64_t kFloat = 4;

// Measured on a model of 0.5 MB: 12.6 MB of program pages and 8 MB of anonymous memory; rounded up
// for thread stacks and connection buffers.
constexpr std::uint64_t kProcessBytes = 28ULL << 20U;
// Per token of the vocabulary: its text, attributes and hash table entry. Measured with 262,144
// tokens: about 130 bytes each.
constexpr std::uint64_t kBytesPerToken = 160;
// Per merge of a byte-pair tokenizer: a hash table entry that holds two texts.
constexpr std::uint64_t kBytesPerMerge = 200;
// Graph metadata, per layer (about forty nodes of 400 bytes, reserved for two graphs).
constexpr std::uint64_t kGraphBytesPerLayer = 64 * 1024;

std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? kPartMax : std::min(product, kPartMax);
}
template <class... More>
std::uint64_t times(std::uint64_t a, std::uint64_t b, More... more) {
  return times(times(a, b), more...);
}
std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  return std::min(a + b, kPartMax);
}
Bytes to_bytes(std::uint64_t count) {
  return Bytes(static_cast<std::int64_t>(std::min(count, kPartMax)));
}
std::uint64_t count_of(Bytes bytes) {
  return static_cast<std::uint64_t>(bytes.count);
}
std::uint64_t padded(std::uint64_t cells) {
  return (cells + kCellPadding - 1) / kCellPadding * kCellPadding;
}

// One row of a cache: `weights` numbers of that type.
std::uint64_t row_bytes(TensorType type, std::uint64_t weights) {
  const auto info = find_tensor_type(static_cast<std::uint32_t>(type));
  HF_ASSERT(info.has_value(), "a cache type outside the table");
  return bytes_of(*info, weights).value_or(kPartMax);
}

std::uint64_t slot_cells(const RunOptions& options) {
  return padded(options.context);
}

std::uint64_t window_cells(const Header& header, const RunOptions& options) {
  const std::uint64_t whole = slot_cells(options);
  if (options.swa_full) {
    return whole;
  }
  return padded(std::min(whole, std::uint64_t{effective_window(header)} + options.ubatch));
}

struct HeadSizes {
  std::uint64_t keys = 0;  // numbers per token in the key cache of a layer
  std::uint64_t values = 0;
  std::uint64_t queries = 0;
};

HeadSizes head_sizes(const Header& header, std::uint32_t layer, bool window) {
  const std::uint64_t heads =
      std::max(1U, header.head_count.at(layer, header.head_count.largest()));
  const std::uint64_t kv_heads =
      header.head_count_kv.stated() ? header.head_count_kv.at(layer, header.head_count_kv.largest())
                                    : heads;
  const std::uint64_t even = header.embedding_length / heads;
  std::uint64_t key = header.key_length != 0 ? header.key_length : even;
  std::uint64_t value = header.value_length != 0 ? header.value_length : even;
  if (window) {
    key = header.key_length_swa != 0 ? header.key_length_swa : key;
    value = header.value_length_swa != 0 ? header.value_length_swa : value;
  }
  HeadSizes sizes{times(key, kv_heads), times(value, kv_heads), times(key, heads)};
  if (header.key_length_mla != 0) {
    sizes.values = 0;  // latent attention: values are read out of the compressed keys
  }
  sizes.keys = plus(sizes.keys, header.indexer_key_length);
  return sizes;
}

std::uint64_t token_bytes(const Header& header, const RunOptions& options, std::uint32_t layer,
                          bool window) {
  const HeadSizes sizes = head_sizes(header, layer, window);
  return plus(row_bytes(options.cache_type_k, sizes.keys),
              row_bytes(options.cache_type_v, sizes.values));
}

// The state of one recurrent layer and slot: the rolling inputs and the state proper, in 32-bit
// floats. Source: llama_hparams::n_embd_r and n_embd_s.
std::uint64_t state_bytes(const Header& header, std::uint32_t layer) {
  const std::uint64_t heads =
      std::max(1U, header.head_count.at(layer, header.head_count.largest()));
  const std::uint64_t embd = header.embedding_length;
  std::uint64_t numbers = 0;
  if (header.wkv_head_size != 0) {
    const std::uint64_t shifts = header.token_shift_count != 0 ? header.token_shift_count : 2;
    numbers = times(embd, shifts + header.wkv_head_size);
  } else if (header.shortconv_l_cache != 0) {
    numbers = times(embd, header.shortconv_l_cache);
  } else if (header.kda_head_dim != 0) {
    const std::uint64_t kernel = std::max(4U, header.ssm_conv_kernel);
    numbers = times(heads, header.kda_head_dim, 3 * kernel + header.kda_head_dim);
  } else if (header.ssm_inner_size != 0) {
    const std::uint64_t inner =
        plus(header.ssm_inner_size, times(2, header.ssm_group_count, header.ssm_state_size));
    numbers = plus(times(std::max(1U, header.ssm_conv_kernel), inner),
                   times(header.ssm_state_size, header.ssm_inner_size));
  } else {
    // Linear attention without sizes of its own in the file: a square matrix per head.
    const std::uint64_t key = header.key_length != 0 ? header.key_length : embd / heads;
    numbers = times(heads, key, key);
  }
  return times(numbers, kFloat);
}

// What one slot holds when it is full, by kind of memory.
struct SlotMemory {
  std::uint64_t whole = 0;
  std::uint64_t window = 0;
  std::uint64_t state = 0;
  std::uint64_t on_device = 0;
};

SlotMemory slot_memory(const Header& header, const RunOptions& options) {
  SlotMemory slot;
  for (std::uint32_t layer = 0; layer < header.block_count; ++layer) {
    const LayerMemory memory = layer_memory(header, layer);
    std::uint64_t bytes = 0;
    if (memory.whole_context) {
      bytes = times(slot_cells(options), token_bytes(header, options, layer, false));
      slot.whole = plus(slot.whole, bytes);
    } else if (memory.window) {
      bytes = times(window_cells(header, options), token_bytes(header, options, layer, true));
      slot.window = plus(slot.window, bytes);
    }
    if (memory.state) {
      const std::uint64_t state = state_bytes(header, layer);
      slot.state = plus(slot.state, state);
      bytes = plus(bytes, state);
    }
    if (layer + std::uint64_t{options.gpu_layers} >= header.block_count) {
      slot.on_device = plus(slot.on_device, bytes);
    }
  }
  return slot;
}

// Which types the CPU backend copies.
// Source: ggml-cpu/repack.cpp and ggml-cpu/amx.
struct RepackRule {
  std::uint32_t type;
  bool avx2, avx512, amx, neon;
};
constexpr RepackRule kRepackRules[] = {
    {1, false, false, true, false},   // f16
    {2, true, true, true, true},      // q4_0
    {3, false, false, true, false},   // q4_1
    {8, false, false, true, true},    // q8_0
    {10, false, true, true, false},   // q2_k
    {12, true, true, true, true},     // q4_k
    {13, false, false, true, true},   // q5_k
    {14, false, false, true, true},   // q6_k
    {20, true, true, true, true},     // iq4_nl
    {23, false, false, true, false},  // iq4_xs
    {39, true, true, true, true},     // mxfp4
};
// AMX tiles store scales apart and expanded.
constexpr std::uint64_t kAmxGrowthPercent = 107;

bool repacks(const RepackRule& rule, Repack repack) {
  switch (repack) {
    case Repack::Off:
      return false;
    case Repack::Avx2:
      return rule.avx2;
    case Repack::Avx512:
      return rule.avx512;
    case Repack::Amx:
      return rule.amx;
    case Repack::Neon:
      return rule.neon;
  }
  return false;
}

std::uint64_t copied_weights(const Header& header, Repack repack) {
  const TensorSummary& tensors = header.tensors;
  std::uint64_t copied = 0;
  for (const RepackRule& rule : kRepackRules) {
    if (!repacks(rule, repack)) {
      continue;
    }
    copied = plus(copied, count_of(tensors.matrices[rule.type]));
    // A tied output matrix is a second, copied tensor made from the embedding.
    if (tensors.output.count == 0 && tensors.token_embedding_type == rule.type) {
      copied = plus(copied, count_of(tensors.token_embedding));
    }
  }
  return repack == Repack::Amx ? copied / 100 * kAmxGrowthPercent : copied;
}

Bytes weight_bytes(const Header& header, const RunOptions& options) {
  std::uint64_t bytes = plus(count_of(header.tensors.total), count_of(options.mmproj));
  if (options.load_mode == LoadMode::Mapped) {
    // The header is mapped too.
    bytes = plus(bytes, header.data_offset);
    bytes = plus(bytes, copied_weights(header, options.repack));
  }
  return to_bytes(bytes);
}

// The widest rows that are alive at once while a batch runs through a layer: gate and up of the
// feed-forward part, or of all experts of a token; beside them the residual stream and its norms,
// queries, keys, values and the attention's result.
std::uint64_t row_numbers(const Header& header) {
  const std::uint64_t experts = header.expert_used_count.largest();
  const std::uint64_t expert_ff = header.expert_feed_forward_length != 0
                                      ? header.expert_feed_forward_length
                                      : header.feed_forward_length.largest();
  const std::uint64_t ff =
      header.expert_count != 0
          ? std::max(times(experts, expert_ff), std::uint64_t{header.feed_forward_length.largest()})
          : header.feed_forward_length.largest();
  std::uint64_t widest_heads = 0;
  for (std::uint32_t layer = 0; layer < header.block_count; ++layer) {
    for (const bool window : {false, true}) {
      const HeadSizes sizes = head_sizes(header, layer, window);
      widest_heads =
          std::max(widest_heads, plus(times(2, sizes.queries), plus(sizes.keys, sizes.values)));
    }
  }
  const std::uint64_t stream = times(4 + experts, header.embedding_length);
  const std::uint64_t recurrent = times(4, header.ssm_inner_size);
  return plus(plus(times(2, ff), stream), plus(widest_heads, recurrent));
}

Bytes compute_bytes(const Header& header, const RunOptions& options) {
  const std::uint64_t rows = std::min(options.ubatch, options.batch);
  const std::uint64_t numbers = row_numbers(header);
  // 4 bytes each, and 2 for the copy that a matrix product makes of its input.
  std::uint64_t bytes = times(rows, numbers, kFloat + 2);
  if (!keeps_no_cache(header.architecture)) {
    // The attention mask in 32 and 16 bits over the cells of one slot; a second one for windows.
    bytes = plus(bytes, times(rows, slot_cells(options), kFloat + 2));
    if (needs_swa_full(header)) {
      bytes = plus(bytes, times(rows, window_cells(header, options), kFloat + 2));
    }
  }
  // Rows for which logits are computed: the last token of each slot, with embeddings every token of
  // a batch. They lie in the graph's memory and once more in the output buffer.
  const std::uint64_t outputs =
      options.embeddings ? std::max<std::uint64_t>(rows, options.parallel) : options.parallel;
  const bool encoder = keeps_no_cache(header.architecture);
  const std::uint64_t logits = encoder ? 0 : header.vocab_size;
  const std::uint64_t embedding =
      options.embeddings ? std::max(header.embedding_length, header.embedding_length_out) : 0;
  bytes = plus(bytes, times(2, outputs, plus(logits, embedding), kFloat));
  // A sampler keeps a candidate of 12 bytes per token of the vocabulary and slot.
  bytes = plus(bytes, times(options.parallel, header.vocab_size, 12));
  bytes = plus(bytes, times(header.block_count, kGraphBytesPerLayer));
  // A projector computes images in about a quarter of its own size.
  return to_bytes(plus(bytes, count_of(options.mmproj) / 4));
}

}  // namespace

Repack host_repack() {
#if defined(__x86_64__)
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  constexpr unsigned kAmxInt8 = 1U << 25U;  // leaf 7, edx
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx & kAmxInt8) != 0) {
    return Repack::Amx;
  }
  if (__builtin_cpu_supports("avx512f")) {
    return Repack::Avx512;
  }
  return __builtin_cpu_supports("avx2") ? Repack::Avx2 : Repack::Off;
#elif defined(__aarch64__)
  return Repack::Neon;
#else
  return Repack::Off;
#endif
}

Cost predict_cost(const Header& header, const RunOptions& options) {
  HF_ASSERT(options.context > 0 && options.parallel > 0, "a child without context or slots");
  HF_ASSERT(options.batch > 0 && options.ubatch > 0, "a child without a batch");
  const SlotMemory slot = slot_memory(header, options);
  const std::uint64_t per_slot = plus(plus(slot.whole, slot.window), slot.state);
  Cost cost;
  cost.weights = weight_bytes(header, options);
  cost.kv_cache = to_bytes(times(per_slot, options.parallel));
  cost.compute = compute_bytes(header, options);
  if (options.cache_ram.count > 0) {
    // A prompt is put in before others are dropped, and the last one stays even if it is too large.
    cost.cache_ram = to_bytes(plus(count_of(options.cache_ram), per_slot));
  }
  const std::uint64_t checkpoint = plus(slot.state, options.swa_full ? 0 : slot.window);
  cost.checkpoints = to_bytes(times(checkpoint, options.ctx_checkpoints, options.parallel));
  const std::uint64_t tokenizer =
      plus(times(header.vocab_size, kBytesPerToken), times(header.merge_count, kBytesPerMerge));
  cost.process_overhead =
      to_bytes(plus(kProcessBytes, plus(tokenizer, count_of(header.vocab_bytes))));
  if (options.gpu_layers > 0) {
    std::uint64_t device = times(slot.on_device, options.parallel);
    for (std::uint32_t layer = 0; layer < header.tensors.layers.size(); ++layer) {
      if (layer + std::uint64_t{options.gpu_layers} >= header.block_count) {
        device = plus(device, count_of(header.tensors.layers[layer]));
      }
    }
    if (options.gpu_layers > header.block_count) {
      const Bytes output =
          header.tensors.output.count != 0 ? header.tensors.output : header.tensors.token_embedding;
      device = plus(device, count_of(output));
    }
    cost.device = to_bytes(plus(device, count_of(cost.compute)));
  }
  return cost;
}

}  // namespace hf::gguf
