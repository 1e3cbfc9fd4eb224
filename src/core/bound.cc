#include "core/bound.h"

#include <algorithm>

#include "base/assert.h"

namespace hf::core {

Duration wait_bound(const BoundTerms& terms) {
  HF_ASSERT(terms.slots >= 1 && terms.place >= 1 && terms.models >= 1,
            "terms come from a real ticket");
  // In seconds: 1,000 models with five-minute turns and hour-long answers are far below 2^53.
  const double patience = seconds_of(terms.patience);
  const double answer = seconds_of(terms.answer);
  const double load = seconds_of(terms.load);
  const double stop = seconds_of(terms.stop);
  const double turn = load + seconds_of(terms.turn) + answer + stop;
  const double back_again = (terms.models - 1) * turn + answer + stop + load;
  const int rounds = (terms.place + terms.slots - 1) / terms.slots;
  const double later_rounds = (rounds - 1) * (back_again + answer);

  double wait = 0;
  switch (terms.standing) {
    case Standing::InLine:
      wait = patience + (terms.ahead + 1) * turn + load + later_rounds;
      break;
    case Standing::Loading:
      wait = load + (rounds > 1 ? patience : 0) + later_rounds;
      break;
    case Standing::OpenButFull:
      wait = patience + back_again + answer + later_rounds;
      break;
  }
  constexpr double kCentury = 3.0e9;
  return duration_of_seconds(std::min(wait, kCentury));
}

}  // namespace hf::core
