#include "core/bound.h"

#include <algorithm>

#include "base/assert.h"
#include "base/units.h"

namespace hf::core {
namespace {

// c - 1: how often all slots are filled by others before this ticket gets one.
int later_rounds(const BoundTerms& terms) {
  return (terms.place + terms.slots - 1) / terms.slots - 1;
}

}  // namespace

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
  const int rounds = later_rounds(terms);
  const double later = rounds * (back_again + answer);

  double wait = 0;
  switch (terms.standing) {
    case Standing::InLine:
      wait = patience + (terms.ahead + 1) * turn + load + later;
      break;
    case Standing::Loading:
      wait = load + (rounds > 0 ? patience : 0) + later;
      break;
    case Standing::OpenButFull:
      wait = patience + back_again + answer + later;
      break;
  }
  constexpr double kCentury = 3.0e9;
  return duration_of_seconds(std::min(wait, kCentury));
}

std::string describe(const BoundTerms& terms) {
  const auto text = [](Duration d) { return format_duration(d); };
  const auto turns = [](int n) { return std::to_string(n) + (n == 1 ? " turn" : " turns"); };
  const std::string one_turn = " of (load " + text(terms.load) + " + turn " + text(terms.turn) +
                               " + answer " + text(terms.answer) + " + stop " + text(terms.stop) +
                               ")";
  const std::string back_again = turns(terms.models - 1) + one_turn + " + answer " +
                                 text(terms.answer) + " + stop " + text(terms.stop) + " + load " +
                                 text(terms.load);
  const int rounds = later_rounds(terms);
  std::string sum;
  switch (terms.standing) {
    case Standing::InLine:
      sum = "patience " + text(terms.patience) + " + " + turns(terms.ahead + 1) + one_turn +
            " + load " + text(terms.load);
      break;
    case Standing::Loading:
      sum = "load " + text(terms.load) + (rounds > 0 ? " + patience " + text(terms.patience) : "");
      break;
    case Standing::OpenButFull:
      sum = "patience " + text(terms.patience) + " + " + back_again + " + answer " +
            text(terms.answer);
      break;
  }
  if (rounds > 0) {
    sum += " + " + std::to_string(rounds) + " x (" + back_again + " + answer " +
           text(terms.answer) + ") because it is number " + std::to_string(terms.place) + " for " +
           std::to_string(terms.slots) + (terms.slots == 1 ? " slot" : " slots");
  }
  return sum;
}

}  // namespace hf::core
