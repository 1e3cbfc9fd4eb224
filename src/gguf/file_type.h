#pragma once
// Names of the mixtures of number formats that files are made in ("Q4_K_M"). Pure, any thread.
// Source: llama_ftype of llama.h.

#include <cstdint>
#include <string_view>

namespace hf::gguf {

// "" for a number that is none, or not known.
std::string_view file_type_name(std::uint32_t number);

}  // namespace hf::gguf
