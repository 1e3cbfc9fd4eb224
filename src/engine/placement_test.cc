#include "engine/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hf::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

CardRoom room(std::vector<Bytes> budgets, std::vector<Bytes> placed = {}) {
  CardRoom made;
  made.counted = true;
  for (std::size_t i = 0; i < budgets.size(); ++i) {
    CardRoom::Place place;
    place.card.device = "CUDA" + std::to_string(i);
    place.budget = budgets[i];
    place.placed = i < placed.size() ? placed[i] : Bytes(0);
    made.places.push_back(place);
  }
  return made;
}

// Ten layers of a GiB and an output of one; a GiB beside them on each card.
DeviceNeed ten_layers() {
  DeviceNeed need;
  need.layers.clear();
  for (int n = 0; n <= 11; ++n) {
    need.layers.push_back(n * kGiB);
  }
  need.each = kGiB;
  return need;
}

PlacementWish layers(int count) {
  PlacementWish wish;
  wish.layers = count;
  return wish;
}

Bytes on(const Placement& placement, std::size_t card) {
  return placement.on_cards.in[domain_of(card)];
}

TEST(Place, AModelThatFitsOnOneCardGoesToTheLargest) {
  const Placement placement = place(ten_layers(), {}, room({12 * kGiB, 24 * kGiB, 24 * kGiB}));
  EXPECT_EQ(placement.layers, 11);
  EXPECT_THAT(placement.shares, ElementsAre(CardShare{1, 11}));
  EXPECT_EQ(on(placement, 1), 12 * kGiB);
  EXPECT_EQ(placement.on_cards.total(), 12 * kGiB);
  EXPECT_TRUE(placement.fits);
}

TEST(Place, ModelsAreSpreadOverCardsAlike) {
  const CardRoom beside = room({24 * kGiB, 24 * kGiB}, {12 * kGiB, 5 * kGiB});
  EXPECT_THAT(place(ten_layers(), {}, beside).shares, ElementsAre(CardShare{1, 11}));
}

TEST(Place, AModelStaysWhereItWas) {
  PlacementWish wish;
  wish.before = 0;
  const CardRoom beside = room({24 * kGiB, 24 * kGiB}, {40 * kGiB, Bytes(0)});
  EXPECT_THAT(place(ten_layers(), wish, beside).shares, ElementsAre(CardShare{0, 11}));
  EXPECT_THAT(place(ten_layers(), wish, room({8 * kGiB, 24 * kGiB})).shares,
              ElementsAre(CardShare{1, 11}));
}

TEST(Place, TheConfigurationChoosesTheCards) {
  PlacementWish wish;
  wish.gpus = {0, 7};
  EXPECT_THAT(place(ten_layers(), wish, room({12 * kGiB, 24 * kGiB})).shares,
              ElementsAre(CardShare{0, 11}));
  wish.gpus = std::vector<int>{};
  EXPECT_EQ(place(ten_layers(), wish, room({24 * kGiB})), Placement{});
}

TEST(Place, ALargerModelIsSpreadInProportionToTheBudgets) {
  const Placement placement = place(ten_layers(), {}, room({9 * kGiB, 5 * kGiB}));
  EXPECT_EQ(placement.layers, 11);
  EXPECT_THAT(placement.shares, ElementsAre(CardShare{0, 7}, CardShare{1, 4}));
  EXPECT_EQ(on(placement, 0), 8 * kGiB);
  EXPECT_EQ(on(placement, 1), 5 * kGiB);
  EXPECT_TRUE(placement.fits);
}

TEST(Place, CardsAreFilledWhereRoundingLeavesNoRoom) {
  DeviceNeed need;
  need.layers = {Bytes(0), 3 * kGiB, 6 * kGiB, 9 * kGiB};
  // In proportion: 1.9 layers on the first card, rounded down to one, and two on the second.
  const Placement placement = place(need, {}, room({8 * kGiB, 5 * kGiB}));
  EXPECT_THAT(placement.shares, ElementsAre(CardShare{0, 2}, CardShare{1, 1}));
  EXPECT_TRUE(placement.fits);
}

TEST(Place, AsManyLayersAsFitWhereNotAllDo) {
  DeviceNeed need = ten_layers();
  need.partial = kGiB;  // beside them while the rest is in RAM
  const Placement placement = place(need, {}, room({6 * kGiB}));
  EXPECT_EQ(placement.layers, 4);
  EXPECT_EQ(on(placement, 0), 6 * kGiB);
  EXPECT_TRUE(placement.fits);
}

TEST(Place, WithoutRoomForALayerTheModelStaysInRam) {
  EXPECT_EQ(place(ten_layers(), {}, room({kGiB})), Placement{});
  EXPECT_EQ(place(ten_layers(), {}, room({})), Placement{});
}

TEST(Place, LayersThatWereAskedForAreCountedEvenIfTheyCannotFit) {
  const Placement placement = place(ten_layers(), layers(11), room({4 * kGiB, 4 * kGiB}));
  EXPECT_FALSE(placement.fits);
  EXPECT_EQ(placement.layers, 11);
  EXPECT_EQ(placement.on_cards.total(), 13 * kGiB);
  EXPECT_FALSE(placement.on_cards.fits_in(core::Footprint{}));
}

TEST(Place, AskedForLayersAreBoundedByTheModel) {
  EXPECT_EQ(place(ten_layers(), layers(999), room({24 * kGiB})).layers, 11);
  EXPECT_EQ(place(ten_layers(), layers(3), room({24 * kGiB})).layers, 3);
  EXPECT_THAT(place(ten_layers(), layers(0), room({24 * kGiB})).shares, IsEmpty());
}

TEST(Place, TheProjectorIsOnTheFirstCard) {
  DeviceNeed need = ten_layers();
  need.first = 2 * kGiB;
  const Placement placement = place(need, {}, room({9 * kGiB, 7 * kGiB}));
  ASSERT_EQ(placement.shares.size(), 2U);
  EXPECT_EQ(on(placement, 0), (placement.shares[0].layers + 3) * kGiB);
  EXPECT_EQ(on(placement, 1), (placement.shares[1].layers + 1) * kGiB);
  EXPECT_TRUE(placement.fits);
}

// For every number of layers and pair of budgets: what is said to fit does, no layer is lost, and
// asking again gives the same.
TEST(Place, NeverExceedsABudgetThatItSaysItFits) {
  DeviceNeed need = ten_layers();
  need.layers.back() += 700 * kMiB;  // a large output layer
  need.partial = kGiB;
  for (int first = 0; first <= 14; ++first) {
    for (int second = 0; second <= 14; ++second) {
      const CardRoom cards = room({first * kGiB, second * kGiB});
      const Placement placement = place(need, {}, cards);
      EXPECT_TRUE(placement.fits);
      int sum = 0;
      for (const CardShare& share : placement.shares) {
        EXPECT_LE(on(placement, share.card), cards.places[share.card].budget);
        sum += share.layers;
      }
      EXPECT_EQ(sum, placement.layers);
      EXPECT_EQ(place(need, {}, cards), placement);
    }
  }
}

}  // namespace
}  // namespace hf::engine
