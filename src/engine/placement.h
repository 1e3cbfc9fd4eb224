#pragma once
// Where a model goes on the cards, decided before it is loaded and told to the engine explicitly:
// the ledger must know which card holds how much, and an engine that chooses by what is free at the
// moment would choose anew each time. Deterministic. Pure functions on plain values; any thread.
// Why so: docs/adr/0010-placement-on-cards.md.

#include <optional>
#include <vector>

#include "base/bytes.h"
#include "core/footprint.h"
#include "engine/cards.h"

namespace hf::engine {

// What a model takes on cards, by the number of layers there.
struct DeviceNeed {
  // [n]: weights and caches of the last n layers; the last but one entry has all layers, the last
  // one the output layer as well. At least two entries; the first is 0; never falling.
  std::vector<Bytes> layers{Bytes(0), Bytes(0)};
  Bytes each;     // on every card that is used: compute buffers and the driver's context
  Bytes first;    // on the first of them: the image projector
  Bytes partial;  // on the first of them, if not everything is on cards: weights on their way there

  [[nodiscard]] int all() const { return static_cast<int>(layers.size()) - 1; }
};

// The cards, and what all models together would take on each: not what is loaded now.
struct CardRoom {
  struct Place {
    Card card;
    Bytes budget;
    Bytes placed;  // of the other models
  };
  std::vector<Place> places;  // all cards, so that the index is the card's
  bool counted = false;       // false: the engine has cards we cannot count, or none
  // Adds a card with nothing on it; `counted` if the engine can use it.
  void add(Card card, Bytes budget);

  bool operator==(const CardRoom&) const = default;
};
bool operator==(const CardRoom::Place& a, const CardRoom::Place& b);

struct PlacementWish {
  std::optional<int> layers;             // nullopt: as many as fit
  std::optional<std::vector<int>> gpus;  // nullopt: all; numbers of cards that are not there count
                                         // for nothing
  std::optional<std::size_t> before;     // the one card it was on: it stays there if it fits
};

struct CardShare {
  std::size_t card = 0;
  int layers = 0;  // of it; the output layer counts as one

  bool operator==(const CardShare&) const = default;
};

struct Placement {
  int layers = 0;                 // --n-gpu-layers; 0: the model lives in RAM
  std::vector<CardShare> shares;  // the cards it uses, in their order
  core::Footprint on_cards;       // domain 0 is empty
  bool fits = true;  // false: layers were asked for that no choice of these cards can hold

  bool operator==(const Placement&) const = default;
};

// A model that fits on one card goes wholly to one: the one with the most budget that no other
// model is placed on, ties by number. Else it is spread over all cards it may use, in proportion to
// their budgets. Without a wish for a number of layers it gets the largest number that fits.
Placement place(const DeviceNeed& need, const PlacementWish& wish, const CardRoom& room);

}  // namespace hf::engine
