#pragma once
// The tensor list of a GGUF header: names, shapes, types and places, checked and summed up.
// Internal to src/gguf. Errors stick to the cursor.

#include <cstdint>

#include "gguf/cursor.h"
#include "gguf/header.h"

namespace hf::gguf {

// Requires: the cursor stands at the first tensor; header's metadata is filled. Fills tensors and
// data_offset, and checks that every tensor lies inside the file.
void read_tensors(Cursor& cursor, std::uint64_t tensor_count, std::uint32_t alignment,
                  Header& header);

}  // namespace hf::gguf
