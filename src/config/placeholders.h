#pragma once
// What in the words of a command stands for something that is known only when it starts
// (docs/engines.md). Pure, any thread.

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace hf::config {

inline constexpr auto kPlaceholders =
    std::to_array<std::string_view>({"{socket}", "{port}", "{model}", "{name}"});

inline bool any_holds(const std::vector<std::string>& words, std::string_view placeholder) {
  return std::any_of(words.begin(), words.end(), [placeholder](const std::string& word) {
    return word.find(placeholder) != std::string::npos;
  });
}

}  // namespace hf::config
