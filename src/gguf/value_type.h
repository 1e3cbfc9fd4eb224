#pragma once
// The types of values in the key-value part of a GGUF file, as gguf.h numbers them. Exists because
// two readers meet them. Internal to src/gguf; pure.

#include <array>
#include <cstddef>
#include <cstdint>

namespace hf::gguf {

enum class ValueType : std::uint32_t {
  U8 = 0,
  I8 = 1,
  U16 = 2,
  I16 = 3,
  U32 = 4,
  I32 = 5,
  F32 = 6,
  Bool = 7,
  String = 8,
  Array = 9,
  U64 = 10,
  I64 = 11,
  F64 = 12,
};

// Bytes of one number; 0 for what is not a number.
inline std::size_t width_of(std::uint32_t type) {
  constexpr std::array<std::uint8_t, 13> kWidths = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return type < kWidths.size() ? kWidths[type] : 0;
}

inline bool is(std::uint32_t type, ValueType wanted) {
  return type == static_cast<std::uint32_t>(wanted);
}

inline bool is_integer(std::uint32_t type) {
  return width_of(type) != 0 && !is(type, ValueType::F32) && !is(type, ValueType::F64);
}

// The bits of an integer of that type, widened with its sign.
inline std::int64_t signed_of(std::uint32_t type, std::uint64_t raw) {
  if (is(type, ValueType::I8)) {
    return static_cast<std::int8_t>(raw);
  }
  if (is(type, ValueType::I16)) {
    return static_cast<std::int16_t>(raw);
  }
  if (is(type, ValueType::I32)) {
    return static_cast<std::int32_t>(raw);
  }
  return static_cast<std::int64_t>(raw);  // a u64 beyond it turns negative
}

}  // namespace hf::gguf
