#include "engine/placement.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace hf::engine {
namespace {

using Allowed = std::vector<std::size_t>;  // cards, ascending

Allowed allowed_cards(const PlacementWish& wish, const CardRoom& room) {
  Allowed cards;
  for (std::size_t card = 0; card < room.places.size(); ++card) {
    const bool chosen = !wish.gpus || std::find(wish.gpus->begin(), wish.gpus->end(),
                                                static_cast<int>(card)) != wish.gpus->end();
    if (chosen && !room.places[card].card.device.empty()) {
      cards.push_back(card);
    }
  }
  return cards;
}

// Beside the layers: on a card that is used, and more on the first of them.
Bytes beside(const DeviceNeed& need, int layers, bool is_first) {
  Bytes bytes = need.each;
  if (is_first) {
    bytes += need.first + (layers < need.all() ? need.partial : Bytes(0));
  }
  return bytes;
}

Bytes of_last(const DeviceNeed& need, int layers) {
  return need.layers[static_cast<std::size_t>(layers)];
}

Placement made_of(const DeviceNeed& need, int layers, std::vector<CardShare> shares,
                  const CardRoom& room) {
  Placement placement;
  placement.layers = layers;
  int behind = layers;  // layers from this card's first on
  for (const CardShare& share : shares) {
    Bytes& bytes = placement.on_cards.in[domain_of(share.card)];
    bytes = of_last(need, behind) - of_last(need, behind - share.layers) +
            beside(need, layers, behind == layers);
    behind -= share.layers;
    placement.fits = placement.fits && bytes <= room.places[share.card].budget;
  }
  HF_ASSERT(behind == 0, "every layer has a card");
  placement.shares = std::move(shares);
  return placement;
}

// On one card, if one can hold it.
std::optional<Placement> on_one(const DeviceNeed& need, int layers, const PlacementWish& wish,
                                const CardRoom& room, const Allowed& cards) {
  const Bytes bytes = of_last(need, layers) + beside(need, layers, true);
  std::optional<std::size_t> best;
  const auto left = [&room](std::size_t card) {
    return room.places[card].budget - room.places[card].placed;
  };
  for (const std::size_t card : cards) {
    if (bytes > room.places[card].budget) {
      continue;
    }
    if (wish.before == card) {
      best = card;
      break;
    }
    if (!best || left(card) > left(*best)) {
      best = card;
    }
  }
  return best ? std::optional(made_of(need, layers, {{*best, layers}}, room)) : std::nullopt;
}

// So many of the `behind` last layers, from the first of them on, that take at most `bytes`.
int layers_within(const DeviceNeed& need, int behind, Bytes bytes) {
  int count = 0;
  while (count < behind && of_last(need, behind) - of_last(need, behind - count - 1) <= bytes) {
    ++count;
  }
  return count;
}

// Spread over the cards so that each gets its part of the bytes; with `fill`, each as much as it
// can hold, where rounding to whole layers left no room.
Placement spread(const DeviceNeed& need, int layers, const CardRoom& room, const Allowed& cards,
                 bool fill) {
  std::vector<Bytes> rooms;
  Bytes all_rooms;
  for (const std::size_t card : cards) {
    const Bytes own = room.places[card].budget - beside(need, layers, rooms.empty());
    rooms.push_back(std::max(Bytes(0), own));
    all_rooms += rooms.back();
  }
  std::vector<CardShare> shares;
  int behind = layers;
  for (std::size_t i = 0; i < cards.size(); ++i) {
    Bytes part = rooms[i];
    if (!fill && all_rooms.count > 0) {
      const double share =
          static_cast<double>(rooms[i].count) / static_cast<double>(all_rooms.count);
      part = Bytes(
          static_cast<std::int64_t>(share * static_cast<double>(of_last(need, behind).count)));
    }
    all_rooms -= rooms[i];
    // The last card has what is left: if that is too much, nothing fits.
    const bool last = i + 1 == cards.size();
    const int count = last ? behind : layers_within(need, behind, part);
    if (count > 0) {
      shares.push_back({cards[i], count});
      behind -= count;
    }
  }
  return made_of(need, layers, std::move(shares), room);
}

Placement with_layers(const DeviceNeed& need, int layers, const PlacementWish& wish,
                      const CardRoom& room, const Allowed& cards) {
  if (auto one = on_one(need, layers, wish, room, cards)) {
    return std::move(*one);
  }
  Placement even = spread(need, layers, room, cards, false);
  if (even.fits || cards.size() == 1) {
    return even;
  }
  Placement full = spread(need, layers, room, cards, true);
  return full.fits ? full : even;
}

}  // namespace

void CardRoom::add(Card card, Bytes budget) {
  counted = counted || !card.device.empty();
  places.push_back({std::move(card), budget, Bytes(0)});
}

bool operator==(const CardRoom::Place& a, const CardRoom::Place& b) {
  return a.card == b.card && a.budget == b.budget && a.placed == b.placed;
}

Placement place(const DeviceNeed& need, const PlacementWish& wish, const CardRoom& room) {
  HF_ASSERT(need.layers.size() >= 2, "a model has a layer and an output");
  const Allowed cards = allowed_cards(wish, room);
  const int wanted = wish.layers ? std::clamp(*wish.layers, 0, need.all()) : need.all();
  if (cards.empty() || wanted == 0) {
    return {};
  }
  if (wish.layers) {
    return with_layers(need, wanted, wish, room, cards);
  }
  for (int layers = wanted; layers > 0; --layers) {
    Placement placement = with_layers(need, layers, wish, room, cards);
    if (placement.fits) {
      return placement;
    }
  }
  return {};
}

}  // namespace hf::engine
