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
  Gpu card_ = gpu(GpuKind::Nvidia, 0, "GPU-aa11", 10 * kGiB);
};

TEST_F(Others, HoldWhatOursDoNot) {
  card_.processes = {{7, 6 * kGiB}, {8, 3 * kGiB}};
  EXPECT_EQ(others_on(card_, {{7, 9 * kGiB}}, Bytes(0)), 4 * kGiB);
  EXPECT_EQ(others_on(card_, {}, Bytes(0)), 10 * kGiB);
  EXPECT_EQ(others_on(card_, {{7, kGiB}, {8, kGiB}, {9, Bytes(0)}}, 5 * kGiB), kGiB);
}

TEST_F(Others, AChildThatIsNotListedHoldsWhatWasReservedForIt) {
  EXPECT_EQ(others_on(card_, {{7, 6 * kGiB}}, kGiB), 4 * kGiB);
  // It has only just started: the others did not shrink by it.
  EXPECT_EQ(others_on(card_, {{7, 9 * kGiB}}, 3 * kGiB), 3 * kGiB);
  card_.processes = {{7, std::nullopt}};
  EXPECT_EQ(others_on(card_, {{7, 6 * kGiB}}, kGiB), 4 * kGiB);
}

TEST_F(Others, AreCountedInSteps) {
  card_.used = kGiB + Bytes(1);
  EXPECT_EQ(others_on(card_, {}, Bytes(0)), kGiB + 64 * kMiB);
}

}  // namespace
}  // namespace hf::engine
