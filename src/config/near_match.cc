#include "config/near_match.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace hf::config {
namespace {

// Words longer than this are no typing slips of ours; it also bounds the work on a hostile file.
constexpr std::size_t kLongestWord = 64;

// Optimal string alignment: edit distance in which a swap of neighbours counts once.
std::size_t changes_between(std::string_view a, std::string_view b) {
  const std::size_t width = b.size() + 1;
  std::vector<std::size_t> cost((a.size() + 1) * width);
  const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& { return cost[i * width + j]; };
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        at(i, j) = i + j;
        continue;
      }
      const std::size_t replaced = at(i - 1, j - 1) + (a[i - 1] == b[j - 1] ? 0 : 1);
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
      }
    }
  }
  return at(a.size(), b.size());
}

}  // namespace

std::optional<std::string_view> near_match(std::string_view word,
                                           std::span<const std::string_view> known) {
  if (word.size() > kLongestWord) {
    return std::nullopt;
  }
  std::size_t best = std::clamp<std::size_t>(word.size() / 3, 1, 3) + 1;
  std::optional<std::string_view> nearest;
  for (const std::string_view candidate : known) {
    const std::size_t changes = changes_between(word, candidate);
    if (changes < best) {
      best = changes;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace hf::config
