#include "base/edit_distance.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace hf {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Rows of the table of prefixes: this one, the one above, and the one above that for swaps.
  std::vector<std::size_t> row(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> second(b.size() + 1);
  for (std::size_t i = 0; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      if (i == 0) {
        row[j] = j;
        continue;
      }
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], second[j - 2] + 1);
      }
    }
    std::swap(second, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace hf
