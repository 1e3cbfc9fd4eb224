#pragma once
// The number formats of tensors in a GGUF file: how many weights share a block and how many bytes a
// block takes, for every type that the pinned engine (v0.5.0) knows. Exists so that the size of
// each tensor can be computed and checked against the file. Pure; any thread. Source: the type
// numbers of ggml.h and the block layouts of ggml-common.h of that release.

#include <cstdint>
#include <optional>
#include <string_view>

namespace hf::gguf {

// Numbers as they stand in files. The gaps are types that the engine has removed.
enum class TensorType : std::uint32_t {
  F32 = 0,
  F16 = 1,
  Q4_0 = 2,
  Q4_1 = 3,
  Q5_0 = 6,
  Q5_1 = 7,
  Q8_0 = 8,
  Q2_K = 10,
  Q4_K = 12,
  IQ4_NL = 20,
  BF16 = 30,
  MXFP4 = 39,
};
constexpr std::uint32_t kTensorTypeCount = 43;

struct TensorTypeInfo {
  std::string_view name;
  std::uint32_t block_weights = 0;
  std::uint32_t block_bytes = 0;
};

// Nothing for a number that the engine does not know.
std::optional<TensorTypeInfo> find_tensor_type(std::uint32_t number);
// For the names that --cache-type-k and --cache-type-v take ("f16", "q8_0").
std::optional<TensorType> tensor_type_named(std::string_view name);

// Bytes of `weights` weights, rounded up to whole blocks; nothing on overflow.
std::optional<std::uint64_t> bytes_of(const TensorTypeInfo& type, std::uint64_t weights);

}  // namespace hf::gguf
