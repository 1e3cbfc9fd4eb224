#pragma once
// The bound on a ticket's wait, fixed when it arrives (docs/scheduling.md states and argues it):
//
//   T = L + Q + R + U                     one turn
//   Z = (M - 1) T + R + U + L             own gate shut -> ready again
//   c = ceil(j / S),  E = (c - 1)(Z + R)
//   absent or gated:  W = P + (n + 1) T + L + E
//   loading:          W = L + [c > 1] P + E
//   open but full:    W = P + Z + R + E
//
// Pure functions, any thread.

#include <optional>
#include <string>

#include "base/time.h"
#include "core/view.h"

namespace hf::core {

// The terms that all bounds have in common.
struct SharedTerms {
  Duration load{}, turn{};
  std::optional<Duration> answer;  // nullopt: not known
  int loadable = 0;
  int priority = 0;          // the highest of the loadable
  bool one_priority = true;  // of all models
};

// Saturates at about a century.
Duration wait_bound(const BoundTerms& terms);
// The sum in words, with its numbers: "patience 30.0 s + 2 turns of (load 20.0 s + …) + …".
std::string describe(const BoundTerms& terms);

}  // namespace hf::core
