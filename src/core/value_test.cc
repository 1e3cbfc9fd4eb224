#include "core/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hf::core {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Candidate candidate(std::uint32_t id, std::int64_t gib, double value) {
  Candidate c;
  c.model = ModelId(id);
  c.frees = Footprint::host(gib * kGiB);
  c.value = value;
  return c;
}

Footprint need(std::int64_t gib) {
  return Footprint::host(gib * kGiB);
}

TEST(Value, FollowsTheFormula) {
  Worth w;
  w.episodes = 2.5;
  w.idle = seconds(40);
  w.reload = seconds(20);
  w.bytes = Bytes(1000);
  EXPECT_DOUBLE_EQ(value_of(w, VictimPolicy::Holdfast), (2.5 + 0.5) / (40 + 60) * 20 / 1000);
}

TEST(Value, EpisodesHalveEverySixHours) {
  EXPECT_DOUBLE_EQ(decayed_episodes(8, hours(6)), 4);
  EXPECT_DOUBLE_EQ(decayed_episodes(8, hours(18)), 1);
  EXPECT_DOUBLE_EQ(decayed_episodes(8, Duration::zero()), 8);
}

TEST(Value, OfTwoAlikeTheOneUsedInMoreEpisodesStays) {
  Worth often;
  often.episodes = 3;
  often.idle = seconds(10);
  often.reload = seconds(1);
  often.bytes = kGiB;
  Worth seldom = often;
  seldom.episodes = 1;
  EXPECT_GT(value_of(often, VictimPolicy::Holdfast), value_of(seldom, VictimPolicy::Holdfast));
}

TEST(Value, PoliciesLookAtWhatTheirNamesSay) {
  Worth recent;
  recent.idle = seconds(1);
  recent.bytes = 2 * kGiB;
  recent.uses_since_load = 1;
  Worth frequent;
  frequent.idle = seconds(100);
  frequent.bytes = 1 * kGiB;
  frequent.uses_since_load = 9;
  EXPECT_GT(value_of(recent, VictimPolicy::Lru), value_of(frequent, VictimPolicy::Lru));
  EXPECT_LT(value_of(recent, VictimPolicy::Lfu), value_of(frequent, VictimPolicy::Lfu));
  EXPECT_LT(value_of(recent, VictimPolicy::Largest), value_of(frequent, VictimPolicy::Largest));
}

TEST(Value, TiesGoToTheLargerThenTheLessUsedThenTheSmallerId) {
  EXPECT_TRUE(leaves_before(candidate(2, 4, 1), candidate(1, 3, 1)));
  Candidate used = candidate(1, 4, 1);
  used.use_count = 5;
  EXPECT_TRUE(leaves_before(candidate(2, 4, 1), used));
  EXPECT_TRUE(leaves_before(candidate(1, 4, 1), candidate(2, 4, 1)));
}

TEST(CheapestSet, TakesInAscendingValueUntilItSuffices) {
  EXPECT_THAT(cheapest_set({candidate(0, 4, 3), candidate(1, 4, 1), candidate(2, 4, 2)}, need(6)),
              ElementsAre(ModelId(1), ModelId(2)));
}

TEST(CheapestSet, DropsWhatIsNotNeededLastTakenFirst) {
  // 1 and 2 GiB are cheap but needless once the 8 GiB one is taken.
  EXPECT_THAT(cheapest_set({candidate(0, 1, 1), candidate(1, 2, 2), candidate(2, 8, 3)}, need(8)),
              ElementsAre(ModelId(2)));
  EXPECT_THAT(cheapest_set({candidate(0, 1, 1), candidate(1, 2, 2), candidate(2, 8, 3)}, need(9)),
              ElementsAre(ModelId(0), ModelId(2)));
}

TEST(CheapestSet, IsEmptyWhenAllTogetherDoNotSuffice) {
  EXPECT_THAT(cheapest_set({candidate(0, 1, 1), candidate(1, 2, 2)}, need(4)), IsEmpty());
}

TEST(CheapestSet, LeavesAloneWhatFreesTheWrongMemory) {
  Candidate on_card = candidate(0, 0, 1);
  on_card.frees.in[1] = 8 * kGiB;
  EXPECT_THAT(cheapest_set({on_card, candidate(1, 4, 2)}, need(4)), ElementsAre(ModelId(1)));
}

TEST(CheapestSet, CoversEveryDomain) {
  Candidate on_card = candidate(0, 0, 1);
  on_card.frees.in[1] = 8 * kGiB;
  Footprint both = need(4);
  both.in[1] = 2 * kGiB;
  EXPECT_THAT(cheapest_set({on_card, candidate(1, 4, 2)}, both),
              ElementsAre(ModelId(0), ModelId(1)));
}

}  // namespace
}  // namespace hf::core
