#pragma once
// How far two words are apart, for "did you mean …?". Pure, any thread.

#include <cstddef>
#include <string_view>

namespace hf {

// The fewest changes that make one of the other (optimal string alignment): a change inserts,
// removes or replaces one byte, or swaps two neighbours. Costs the product of their lengths.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace hf
