#include "gguf/cache_size.h"

#include <algorithm>

#include "base/assert.h"
#include "gguf/architecture.h"
#include "gguf/saturating.h"

namespace hf::gguf {
namespace {

// llama_context rounds the context of a slot up to this, and window caches as well.
constexpr std::uint64_t kCellPadding = 256;
constexpr std::uint64_t kFloat = 4;

std::uint64_t padded(std::uint64_t cells) {
  return (cells + kCellPadding - 1) / kCellPadding * kCellPadding;
}

// One row of a cache: `weights` numbers of that type.
std::uint64_t row_bytes(TensorType type, std::uint64_t weights) {
  const auto info = find_tensor_type(static_cast<std::uint32_t>(type));
  HF_ASSERT(info.has_value(), "a cache type outside the table");
  return bytes_of(*info, weights).value_or(kPartMax);
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

}  // namespace

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

bool is_offloaded(const Header& header, const RunOptions& options, std::uint32_t layer) {
  return options.gpu_layers > 0 && layer + std::uint64_t{options.gpu_layers} > header.block_count;
}

std::uint64_t SlotMemory::total() const {
  return plus(whole, window, state);
}

SlotMemory slot_memory(const Header& header, const RunOptions& options) {
  SlotMemory slot;
  const std::uint64_t whole_cells = slot_cells(options);
  for (std::uint32_t layer = 0; layer < header.block_count; ++layer) {
    const LayerMemory memory = layer_memory(header, layer);
    std::uint64_t bytes = 0;
    if (memory.whole_context) {
      bytes = times(slot_cells(options), token_bytes(header, options, layer, false));
      slot.whole = plus(slot.whole, bytes);
    } else if (memory.window) {
      bytes = times(window_cells(header, options), token_bytes(header, options, layer, true));
      slot.window = plus(slot.window, bytes);
      const std::uint64_t seen = std::min<std::uint64_t>(effective_window(header), whole_cells);
      slot.window_in_sight =
          plus(slot.window_in_sight, times(seen, token_bytes(header, options, layer, true)));
    }
    if (memory.state) {
      const std::uint64_t state = state_bytes(header, layer);
      slot.state = plus(slot.state, state);
      bytes = plus(bytes, state);
    }
    if (is_offloaded(header, options, layer)) {
      slot.on_device = plus(slot.on_device, bytes);
    }
  }
  return slot;
}

}  // namespace hf::gguf
