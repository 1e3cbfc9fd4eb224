#include "engine/cards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hf::engine {
namespace {

using readers::Gpu;
using readers::GpuKind;
using readers::GpuReading;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Gpu gpu(GpuKind kind, int index, std::string uuid, Bytes used = {}) {
  Gpu made;
  made.kind = kind;
  made.index = index;
  made.name = "Card " + uuid;
  made.uuid = std::move(uuid);
  made.total = 24 * kGiB;
  made.used = used;
  return made;
}

const GpuReading kTwoNvidia{
    {gpu(GpuKind::Nvidia, 0, "GPU-aa11"), gpu(GpuKind::Nvidia, 1, "GPU-bb22")}, {}};

std::vector<std::string> keys(const FoundCards& found) {
  std::vector<std::string> result;
  for (const Card& card : found.cards) {
    result.push_back(card.name + "=" + card.key);
  }
  return result;
}

VisibleCards cuda(const std::string& text) {
  VisibleCards visible;
  visible.cuda = text;
  return visible;
}

TEST(FindCards, TheEnginesDevicesAreTheCardsInTheOrderOfTheBus) {
  const FoundCards found = find_cards(kTwoNvidia, {"CUDA0", "CUDA1"}, {});
  EXPECT_THAT(keys(found), ElementsAre("cuda0=GPU-aa11", "cuda1=GPU-bb22"));
  EXPECT_EQ(found.cards[1].device, "CUDA1");
  EXPECT_EQ(found.cards[1].title, "Card GPU-bb22");
  EXPECT_THAT(found.remarks, IsEmpty());
}

TEST(FindCards, AnEngineWithoutDevicesUsesNone) {
  EXPECT_THAT(find_cards(kTwoNvidia, {}, {}).cards, IsEmpty());
  EXPECT_THAT(find_cards(kTwoNvidia, {}, {}).remarks, IsEmpty());
}

TEST(FindCards, HiddenCardsAreNotThere) {
  EXPECT_THAT(keys(find_cards(kTwoNvidia, {"CUDA0"}, cuda("1"))), ElementsAre("cuda0=GPU-bb22"));
  EXPECT_THAT(keys(find_cards(kTwoNvidia, {"CUDA0", "CUDA1"}, cuda("1, 0"))),
              ElementsAre("cuda0=GPU-bb22", "cuda1=GPU-aa11"));
  EXPECT_THAT(keys(find_cards(kTwoNvidia, {"CUDA0"}, cuda("GPU-bb"))),
              ElementsAre("cuda0=GPU-bb22"));
  // A number that no card has ends the list.
  EXPECT_THAT(keys(find_cards(kTwoNvidia, {"CUDA0"}, cuda("0,-1,1"))),
              ElementsAre("cuda0=GPU-aa11"));
}

TEST(FindCards, WhatIsNotUnderstoodIsNotCountedAndSaidSo) {
  for (const char* wish : {"MIG-1234", "GPU-zz", "GPU-", "0,0", "first"}) {
    const FoundCards found = find_cards(kTwoNvidia, {"CUDA0"}, cuda(wish));
    EXPECT_THAT(found.cards, IsEmpty()) << wish;
    EXPECT_THAT(found.remarks, ElementsAre(HasSubstr("CUDA_VISIBLE_DEVICES"))) << wish;
  }
  const FoundCards more = find_cards(kTwoNvidia, {"CUDA0", "CUDA1"}, cuda("1"));
  EXPECT_THAT(more.cards, SizeIs(1));
  EXPECT_THAT(more.remarks, ElementsAre(HasSubstr("1 visible cards")));
}

TEST(FindCards, AmdsCardsAreHiddenTwice) {
  const GpuReading reading{
      {gpu(GpuKind::Amd, 0, "a"), gpu(GpuKind::Amd, 1, "b"), gpu(GpuKind::Amd, 2, "c")}, {}};
  VisibleCards visible;
  visible.rocr = "1,2";
  visible.hip = "1";
  EXPECT_THAT(keys(find_cards(reading, {"ROCm0"}, visible)), ElementsAre("rocm0=c"));
}

TEST(FindCards, OtherDevicesAreUnderstoodWhereThereIsOneOfEach) {
  const GpuReading one{{gpu(GpuKind::Amd, 0, "a")}, {}};
  EXPECT_THAT(keys(find_cards(one, {"Vulkan0"}, {})), ElementsAre("vulkan0=a"));
  EXPECT_THAT(find_cards(one, {"Vulkan0", "Vulkan1"}, {}).remarks, SizeIs(1));
  EXPECT_THAT(find_cards(kTwoNvidia, {"Vulkan0"}, {}).cards, IsEmpty());
  // The same card by two ways is one card.
  EXPECT_THAT(keys(find_cards(kTwoNvidia, {"CUDA0", "Vulkan0"}, {})),
              ElementsAre("cuda0=GPU-aa11"));
}

TEST(FindCards, ACardIsFoundAgainByItsKey) {
  const Card card = find_cards(kTwoNvidia, {"CUDA0", "CUDA1"}, {}).cards[1];
  const GpuReading later{{gpu(GpuKind::Nvidia, 0, "GPU-bb22", kGiB)}, {}};
  ASSERT_NE(find(later, card), nullptr);
  EXPECT_EQ(find(later, card)->used, kGiB);
  EXPECT_EQ(find(GpuReading{}, card), nullptr);
  Gpu nameless = gpu(GpuKind::Nvidia, 3, "");
  EXPECT_EQ(key_of(nameless), "nvidia 3");
  nameless.pci_id = "0000:03:00.0";
  EXPECT_EQ(key_of(nameless), "nvidia 0000:03:00.0");
}

TEST(CardBudget, IsWhatOthersAndTheReserveLeave) {
  EXPECT_EQ(card_budget(80 * kGiB, 2 * kGiB, {}).budget, 74 * kGiB);
  EXPECT_EQ(card_budget(4 * kGiB, Bytes(0), {}).reserve, 512 * kMiB);
  EXPECT_EQ(card_budget(4 * kGiB, 9 * kGiB, {}).budget, Bytes(0));
  EXPECT_EQ(card_budget(80 * kGiB, 2 * kGiB, 20 * kGiB).budget, 20 * kGiB);
  EXPECT_EQ(card_budget(80 * kGiB, 70 * kGiB, 20 * kGiB).budget, 6 * kGiB);
  EXPECT_EQ(arithmetic(card_budget(80 * kGiB, 2 * kGiB, {})),
            "74.0 GiB = 80.0 GiB - 2.00 GiB used by others - 4.00 GiB in reserve");
  EXPECT_EQ(arithmetic(card_budget(80 * kGiB, 2 * kGiB, 20 * kGiB)), "20.0 GiB (configured)");
}

class Others : public testing::Test {
 protected:
  // The next look, at which so much is in use by everybody.
  Bytes look(Bytes used, const std::vector<OurProcess>& ours) {
    card_.used = used;
    seen_ = others_on(card_, ours, seen_);
    return seen_.counted();
  }

  Gpu card_ = gpu(GpuKind::Nvidia, 0, "GPU-aa11");
  OthersOnCard seen_;
};

constexpr bool kSteady = true;

TEST_F(Others, HoldWhatOursDoNot) {
  card_.processes = {{7, 6 * kGiB}, {8, 3 * kGiB}};
  EXPECT_EQ(look(10 * kGiB, {{7, 9 * kGiB}}), 4 * kGiB);
  EXPECT_EQ(look(10 * kGiB, {}), 10 * kGiB);
  EXPECT_EQ(look(10 * kGiB, {{7, kGiB}, {8, kGiB}, {9, Bytes(0)}}), kGiB);
}

TEST_F(Others, AChildThatIsNotListedHoldsWhatWasReservedForIt) {
  EXPECT_EQ(look(kGiB, {}), kGiB);
  EXPECT_EQ(look(10 * kGiB, {{7, 6 * kGiB}}), 4 * kGiB);
  // It has only just started: the others did not shrink by it.
  EXPECT_EQ(look(10 * kGiB, {{7, 9 * kGiB}}), 4 * kGiB);
  card_.processes = {{7, std::nullopt}};
  EXPECT_EQ(look(11 * kGiB, {{7, 6 * kGiB}}), 5 * kGiB);
}

TEST_F(Others, AreCountedInSteps) {
  EXPECT_EQ(look(kGiB + Bytes(1), {}), kGiB + 64 * kMiB);
}

TEST_F(Others, ThatLeaveAreSeenThoughTheDriverListsNoneOfOurs) {
  const std::vector<OurProcess> child{{7, 6 * kGiB, kSteady}};
  look(3 * kGiB, {});  // theirs
  EXPECT_EQ(look(7 * kGiB, child), 3 * kGiB);
  EXPECT_EQ(look(7 * kGiB, child), 3 * kGiB);
  EXPECT_EQ(look(5 * kGiB, child), 3 * kGiB) << "one look alone";
  EXPECT_EQ(look(5 * kGiB, child), kGiB);
  EXPECT_EQ(look(4 * kGiB, child), kGiB);
  EXPECT_EQ(look(4 * kGiB, child), Bytes(0));
  EXPECT_EQ(look(3 * kGiB, child), Bytes(0)) << "never below nothing";
  EXPECT_EQ(look(3 * kGiB, child), Bytes(0));
}

TEST_F(Others, AreNotTakenToLeaveForADip) {
  const std::vector<OurProcess> child{{7, 6 * kGiB, kSteady}};
  look(3 * kGiB, {});
  look(7 * kGiB, child);
  look(7 * kGiB, child);
  EXPECT_EQ(look(5 * kGiB, child), 3 * kGiB);
  EXPECT_EQ(look(7 * kGiB, child), 3 * kGiB);
  EXPECT_EQ(look(6 * kGiB, child), 3 * kGiB);
  EXPECT_EQ(look(5 * kGiB, child), 2 * kGiB) << "what two looks agree about";
}

TEST_F(Others, DoNotShrinkByAFallBackFromARiseThatWasNotCounted) {
  const std::vector<OurProcess> child{{7, 6 * kGiB, kSteady}};
  look(3 * kGiB, {});
  look(7 * kGiB, child);  // it holds 4 GiB of its 6
  look(7 * kGiB, child);
  EXPECT_EQ(look(9 * kGiB, child), 3 * kGiB) << "perhaps ours has grown";
  look(7 * kGiB, child);
  EXPECT_EQ(look(7 * kGiB, child), 3 * kGiB);
  look(5 * kGiB, child);
  EXPECT_EQ(look(5 * kGiB, child), kGiB) << "what falls further was theirs";
}

TEST_F(Others, DoNotShrinkByWhatOursGiveBack) {
  const std::vector<OurProcess> serves{{7, 6 * kGiB, kSteady}};
  const std::vector<OurProcess> ends{{7, 6 * kGiB}};
  look(3 * kGiB, {});
  look(9 * kGiB, serves);
  EXPECT_EQ(look(9 * kGiB, serves), 3 * kGiB);
  // Its memory is gone, and of its death we hear by the next look.
  EXPECT_EQ(look(3 * kGiB, serves), 3 * kGiB);
  EXPECT_EQ(look(3 * kGiB, ends), 3 * kGiB);
  EXPECT_EQ(look(3 * kGiB, ends), 3 * kGiB);
  EXPECT_EQ(look(3 * kGiB, {}), 3 * kGiB);
}

TEST_F(Others, DoNotShrinkWhileOursComeAndGo) {
  const OurProcess first{7, 6 * kGiB, kSteady};
  const OurProcess second{8, 6 * kGiB, kSteady};
  look(3 * kGiB, {});
  look(12 * kGiB, {first, second});
  look(12 * kGiB, {first, second});
  EXPECT_EQ(look(8 * kGiB, {first}), 3 * kGiB);
  EXPECT_EQ(look(8 * kGiB, {first, {8, 6 * kGiB}}), 3 * kGiB) << "it loads";
  EXPECT_EQ(look(7 * kGiB, {first, second}), 3 * kGiB);
  EXPECT_EQ(look(7 * kGiB, {second, first}), 3 * kGiB);
  EXPECT_EQ(look(6 * kGiB, {first, second}), 3 * kGiB);
  EXPECT_EQ(look(6 * kGiB, {first, second}), 2 * kGiB) << "the same ones, in any order";
}

TEST_F(Others, AreMeasuredBesideWhatAListedChildGivesBack) {
  const std::vector<OurProcess> ours{{7, 6 * kGiB, kSteady}, {8, 4 * kGiB, kSteady}};
  look(3 * kGiB, {});
  card_.processes = {{8, 4 * kGiB}};
  look(11 * kGiB, ours);
  look(11 * kGiB, ours);
  card_.processes = {{8, kGiB}};
  look(8 * kGiB, ours);
  EXPECT_EQ(look(8 * kGiB, ours), 3 * kGiB);
}

}  // namespace
}  // namespace hf::engine
