#pragma once
// "Did you mean …?": the known word nearest to a misspelt one. Pure, any thread.

#include <optional>
#include <span>
#include <string_view>

namespace hf::config {

// The nearest of `known` within a third of the word's length (at least 1, at most 3 changes); ties
// go to the first. A change inserts, removes or replaces one byte, or swaps two neighbours.
std::optional<std::string_view> near_match(std::string_view word,
                                           std::span<const std::string_view> known);

}  // namespace hf::config
