#include "gguf/tensor_type.h"

#include <array>

namespace hf::gguf {
namespace {

// Indexed by type number; a block of no weights marks a number that is not in use.
constexpr std::array<TensorTypeInfo, kTensorTypeCount> kTypes = {{
    {"f32", 1, 4},
    {"f16", 1, 2},
    {"q4_0", 32, 18},
    {"q4_1", 32, 20},
    {},
    {},
    {"q5_0", 32, 22},
    {"q5_1", 32, 24},
    {"q8_0", 32, 34},
    {"q8_1", 32, 36},
    {"q2_k", 256, 84},
    {"q3_k", 256, 110},
    {"q4_k", 256, 144},
    {"q5_k", 256, 176},
    {"q6_k", 256, 210},
    {"q8_k", 256, 292},
    {"iq2_xxs", 256, 66},
    {"iq2_xs", 256, 74},
    {"iq3_xxs", 256, 98},
    {"iq1_s", 256, 50},
    {"iq4_nl", 32, 18},
    {"iq3_s", 256, 110},
    {"iq2_s", 256, 82},
    {"iq4_xs", 256, 136},
    {"i8", 1, 1},
    {"i16", 1, 2},
    {"i32", 1, 4},
    {"i64", 1, 8},
    {"f64", 1, 8},
    {"iq1_m", 256, 56},
    {"bf16", 1, 2},
    {},
    {},
    {},
    {"tq1_0", 256, 54},
    {"tq2_0", 256, 66},
    {},
    {},
    {},
    {"mxfp4", 32, 17},
    {"nvfp4", 64, 36},
    {"q1_0", 128, 18},
    {"q2_0", 64, 18},
}};

}  // namespace

std::optional<TensorTypeInfo> find_tensor_type(std::uint32_t number) {
  if (number >= kTypes.size() || kTypes[number].block_weights == 0) {
    return std::nullopt;
  }
  return kTypes[number];
}

std::optional<TensorType> tensor_type_named(std::string_view name) {
  for (std::uint32_t number = 0; number < kTypes.size(); ++number) {
    if (!name.empty() && kTypes[number].name == name) {
      return static_cast<TensorType>(number);
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> bytes_of(const TensorTypeInfo& type, std::uint64_t weights) {
  const std::uint64_t part = weights % type.block_weights != 0 ? 1 : 0;
  std::uint64_t bytes = 0;
  if (__builtin_mul_overflow(weights / type.block_weights + part, std::uint64_t{type.block_bytes},
                             &bytes)) {
    return std::nullopt;
  }
  return bytes;
}

}  // namespace hf::gguf
