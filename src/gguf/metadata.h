#pragma once
// The key-value part of a GGUF header: reads all pairs, keeps the few that Header has a place for
// and skips the rest. Exists apart from the tensor part because the two have nothing in common but
// the cursor. Internal to src/gguf. Errors stick to the cursor.

#include <cstdint>

#include "gguf/cursor.h"
#include "gguf/header.h"

namespace hf::gguf {

// What the tensor part needs and Header does not keep.
struct MetadataExtras {
  std::uint32_t alignment = 32;  // the format's default
};

// Requires: the cursor stands at the first pair. Fills all of `header` but its tensors.
MetadataExtras read_metadata(Cursor& cursor, std::uint64_t pair_count, Header& header);

}  // namespace hf::gguf
