#pragma once
// What Holdfast needs to know about a model file, read from its GGUF header (versions 2 and 3,
// little endian). Exists because a file is validated and costed before any other model gives way
// for it, so the answer must come without starting a child. The file is untrusted: every length,
// count and offset is checked against the size of the file, and what is kept is bounded;
// vocabularies are counted, not kept. Pure apart from the reads; any thread.

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "gguf/byte_source.h"
#include "gguf/projector.h"
#include "gguf/tensor_type.h"

namespace hf::gguf {

// The engine's own limit on layers (LLAMA_MAX_LAYERS).
constexpr std::uint32_t kLayersMax = 512;

// A number that a file states once for all layers, or once per layer.
struct PerLayer {
  std::vector<std::uint32_t> values;  // empty: not stated; one: for all layers

  bool stated() const { return !values.empty(); }
  bool varies() const { return values.size() > 1; }
  // `otherwise` when nothing is stated for that layer.
  std::uint32_t at(std::uint32_t layer, std::uint32_t otherwise = 0) const;
  std::uint32_t largest() const;
};

// As llama.h numbers them (pooling_type in the file).
enum class Pooling : std::uint32_t { None = 0, Mean = 1, Cls = 2, Last = 3, Rank = 4 };

// Sizes of the tensors, without alignment.
struct TensorSummary {
  std::uint64_t count = 0;
  std::uint64_t weights = 0;  // numbers in all of them: the parameters of the model
  Bytes total;
  Bytes token_embedding;
  Bytes output;  // 0: the output matrix is the token embedding (tied)
  // By layer: what moves to a GPU with it. As long as a model can be for a later part of a split
  // one, which does not say how many there are.
  std::vector<Bytes> layers;
  // Matrices whose rows come in eights, the token embedding apart: what a CPU backend may copy into
  // a layout of its own. By type number.
  std::array<Bytes, kTensorTypeCount> matrices{};
  std::uint32_t token_embedding_type = 0;
};

struct Header {
  std::uint32_t version = 0;
  std::string architecture;  // empty only for a later part of a split model
  std::string name;
  std::string type;  // general.type: "model", "adapter", "mmproj", …; empty in older files
  std::optional<std::uint32_t> file_type;

  std::uint32_t context_length = 0;
  std::uint32_t embedding_length = 0;
  std::uint32_t embedding_length_out = 0;  // 0: as embedding_length
  std::uint32_t block_count = 0;           // all layers, prediction layers included
  std::uint32_t nextn_predict_layers = 0;  // of those, for multi-token prediction
  std::uint32_t expert_count = 0;
  std::uint32_t expert_feed_forward_length = 0;
  PerLayer expert_used_count;
  PerLayer feed_forward_length;

  PerLayer head_count;
  PerLayer head_count_kv;        // not stated: as head_count
  std::uint32_t key_length = 0;  // 0: embedding_length / head_count
  std::uint32_t value_length = 0;
  std::uint32_t key_length_swa = 0;  // for sliding-window layers; 0: as the others
  std::uint32_t value_length_swa = 0;
  std::uint32_t key_length_mla = 0;  // not 0: latent attention, one compressed key per token
  std::uint32_t sliding_window = 0;  // tokens; 0: none stated
  PerLayer sliding_window_pattern;   // one: a period; else 1 = the layer has a window
  std::uint32_t shared_kv_layers = 0;
  std::uint32_t indexer_key_length = 0;  // sparse attention keeps one more key per token

  PerLayer recurrent_layers;  // 1 = the layer keeps a state instead of keys and values
  std::uint32_t full_attention_interval = 0;
  std::uint32_t ssm_conv_kernel = 0;
  std::uint32_t ssm_inner_size = 0;
  std::uint32_t ssm_state_size = 0;
  std::uint32_t ssm_group_count = 0;
  std::uint32_t wkv_head_size = 0;
  std::uint32_t token_shift_count = 0;
  std::uint32_t shortconv_l_cache = 0;
  std::uint32_t kda_head_dim = 0;

  std::optional<Pooling> pooling;
  std::uint32_t vocab_size = 0;
  std::uint32_t merge_count = 0;  // of a byte-pair tokenizer
  Bytes vocab_bytes;              // texts of the tokenizer: tokens and merges
  bool has_chat_template = false;

  ProjectorShape projector;  // of a file that is one

  std::uint32_t split_count = 0;  // 0 or 1: the whole model is in this file
  std::uint32_t split_no = 0;

  TensorSummary tensors;
  std::uint64_t data_offset = 0;  // where tensor data starts in the file
  Bytes file_size;

  // State-space, RWKV or short-convolution layers, alone or among others.
  bool has_recurrent_state() const;
};

// Errors: Corrupt (not GGUF, "truncated", impossible values), Unsupported (a version, a byte order
// or a tensor type that the engine does not know), Io of the source.
Result<Header> parse_header(ByteSource& source);

// The same for a file. Blocks for as long as the disk does (some MB); keep it off the event loop.
// Errors: also those of FileSource::open. The message does not name the path: the caller adds it.
Result<Header> read_header(const std::filesystem::path& path);

}  // namespace hf::gguf
