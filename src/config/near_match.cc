#include "config/near_match.h"

#include <algorithm>
#include <cstddef>

#include "base/edit_distance.h"

namespace hf::config {
namespace {

// Words longer than this are no typing slips of ours; it also bounds the work on a hostile file.
constexpr std::size_t kLongestWord = 64;

}  // namespace

std::optional<std::string_view> near_match(std::string_view word,
                                           std::span<const std::string_view> known) {
  if (word.size() > kLongestWord) {
    return std::nullopt;
  }
  std::size_t best = std::clamp<std::size_t>(word.size() / 3, 1, 3) + 1;
  std::optional<std::string_view> nearest;
  for (const std::string_view candidate : known) {
    const std::size_t changes = edit_distance(word, candidate);
    if (changes < best) {
      best = changes;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace hf::config
