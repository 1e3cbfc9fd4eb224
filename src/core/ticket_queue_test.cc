#include "core/ticket_queue.h"

#include <gtest/gtest.h>

#include <map>

namespace hf::core {
namespace {

using std::chrono::seconds;

TimePoint at(int second) {
  return TimePoint(seconds(second));
}

class TicketQueueTest : public ::testing::Test {
 protected:
  void add(std::uint64_t id, std::uint32_t user, int second = 0,
           TicketKind kind = TicketKind::Request) {
    queue_.add(TicketId(id), UserId(user), kind, at(second));
  }
  std::uint64_t take_next() {
    const TicketId next = queue_.next(true)->id;
    queue_.take(next);
    return next.value;
  }

  TicketQueue queue_;
};

TEST_F(TicketQueueTest, OneUserIsServedInOrder) {
  add(1, 0);
  add(2, 0);
  add(3, 0);
  EXPECT_EQ(take_next(), 1U);
  EXPECT_EQ(take_next(), 2U);
  EXPECT_EQ(take_next(), 3U);
  EXPECT_TRUE(queue_.empty());
}

TEST_F(TicketQueueTest, AUserWithOneRequestIsNotBehindSomebodysHundred) {
  for (std::uint64_t id = 1; id <= 100; ++id) {
    add(id, 1);
  }
  add(200, 2);
  EXPECT_EQ(take_next(), 1U);
  EXPECT_EQ(take_next(), 200U);
  EXPECT_EQ(take_next(), 2U);
}

TEST_F(TicketQueueTest, WhoHasNothingElseIsNextAndGetsNoCreditForThePast) {
  for (std::uint64_t id = 1; id <= 4; ++id) {
    add(id, 1);
  }
  EXPECT_EQ(take_next(), 1U);
  EXPECT_EQ(take_next(), 2U);
  add(10, 2);
  add(11, 2);
  EXPECT_EQ(take_next(), 10U);
  EXPECT_EQ(take_next(), 3U) << "from then on in turns";
  EXPECT_EQ(take_next(), 11U);
  EXPECT_EQ(take_next(), 4U);
}

TEST_F(TicketQueueTest, AskingOneByOneGainsNothing) {
  add(1, 1);
  add(2, 1);
  EXPECT_EQ(take_next(), 1U);
  add(10, 2);
  EXPECT_EQ(take_next(), 10U);
  add(11, 2);  // at once after its first was granted
  EXPECT_EQ(take_next(), 2U) << "user 2 had its turn in this round";
  EXPECT_EQ(take_next(), 11U);
}

TEST_F(TicketQueueTest, WhoWasServedFirstInARoundIsSoInTheNext) {
  add(1, 1);
  EXPECT_EQ(take_next(), 1U);
  add(2, 2);
  add(3, 2);
  EXPECT_EQ(take_next(), 2U) << "of the round in which user 1 was served already";
  add(4, 1);
  add(5, 3);
  EXPECT_EQ(take_next(), 5U) << "the round is not over: user 3 was not served yet";
  EXPECT_EQ(take_next(), 4U) << "user 2 had its turn after user 1";
  EXPECT_EQ(take_next(), 3U);
}

TEST_F(TicketQueueTest, NewcomersOfOneRoundAreServedInTheOrderInWhichTheyCame) {
  for (std::uint64_t id = 1; id <= 3; ++id) {
    add(id, 1);
  }
  EXPECT_EQ(take_next(), 1U);
  for (std::uint32_t user = 2; user <= 5; ++user) {
    add(10 + user, user);
  }
  for (std::uint64_t id = 12; id <= 15; ++id) {
    EXPECT_EQ(take_next(), id);
  }
  EXPECT_EQ(take_next(), 2U);
}

TEST_F(TicketQueueTest, APlaceholderKeepsPlaceAndAgeButNotTheDeadline) {
  add(1, 0, 0);
  queue_.add(TicketId(2), UserId(0), TicketKind::Request, at(1)).deadline = at(100);
  add(3, 0, 2);
  ASSERT_TRUE(queue_.leave_placeholder(TicketId(2), at(20)));
  EXPECT_EQ(queue_.live(), 2);
  EXPECT_EQ(queue_.size(), 3);
  const WaitingTicket& back = queue_.add(TicketId(9), UserId(0), TicketKind::Request, at(10));
  EXPECT_EQ(back.arrived, at(1));
  EXPECT_EQ(back.asked, at(10));
  EXPECT_FALSE(back.deadline.has_value());
  EXPECT_EQ(take_next(), 1U);
  EXPECT_EQ(take_next(), 9U);
  EXPECT_EQ(take_next(), 3U);
}

TEST_F(TicketQueueTest, APlaceholderIsForItsUserOnlyAndNeverNext) {
  add(1, 1, 0);
  queue_.leave_placeholder(TicketId(1), at(15));
  EXPECT_EQ(queue_.next(true), nullptr);
  add(2, 2, 5);
  EXPECT_EQ(queue_.size(), 2);
  EXPECT_EQ(queue_.next(true)->id, TicketId(2));
  EXPECT_EQ(queue_.oldest(), at(0));
  EXPECT_EQ(queue_.oldest_live(), at(5));
}

TEST_F(TicketQueueTest, APlaceholderExpires) {
  add(1, 1, 0);
  queue_.leave_placeholder(TicketId(1), at(15));
  EXPECT_EQ(queue_.expire(at(14)), 0);
  EXPECT_EQ(queue_.expire(at(15)), 1);
  EXPECT_TRUE(queue_.empty());
}

TEST_F(TicketQueueTest, OnlyLoadTicketsPassWhenNoSlotIsFree) {
  add(1, 0);
  EXPECT_EQ(queue_.next(false), nullptr);
  add(2, 0, 0, TicketKind::Load);
  EXPECT_EQ(queue_.next(false)->id, TicketId(2));
  EXPECT_EQ(queue_.next(true)->id, TicketId(1));
}

TEST_F(TicketQueueTest, TheNewestOfTheLargestUserIsFound) {
  add(1, 1);
  add(2, 2);
  add(3, 2);
  EXPECT_EQ(queue_.newest_of_largest_user(UserId(1))->id, TicketId(3));
  add(4, 1);
  EXPECT_EQ(queue_.newest_of_largest_user(UserId(1))->id, TicketId(4));  // a tie: who asks
  EXPECT_EQ(queue_.newest_of_largest_user(UserId(2))->id, TicketId(3));
}

TEST_F(TicketQueueTest, MoreThanOthersIsMoreThanEachOfThemAndNeedsOne) {
  add(1, 1);
  add(2, 1);
  EXPECT_FALSE(queue_.has_more_than_others(UserId(1)));
  add(3, 2);
  EXPECT_TRUE(queue_.has_more_than_others(UserId(1)));
  EXPECT_FALSE(queue_.has_more_than_others(UserId(2)));
  add(4, 2);
  EXPECT_FALSE(queue_.has_more_than_others(UserId(1)));
  queue_.leave_placeholder(TicketId(4), at(15));  // waits no more
  EXPECT_TRUE(queue_.has_more_than_others(UserId(1)));
  queue_.leave_placeholder(TicketId(3), at(15));
  EXPECT_FALSE(queue_.has_more_than_others(UserId(1)));
}

TEST_F(TicketQueueTest, ThePlaceCountsOneOfEachOtherUserForEachRoundUpToItsOwn) {
  const auto place = [this](std::uint64_t id, int users) {
    return queue_.place_of(*queue_.find(TicketId(id)), users);
  };
  add(1, 1);
  add(2, 1);
  EXPECT_EQ(place(2, 1), 2);
  EXPECT_EQ(place(2, 2), 4) << "user 2 may be served in the first round, and first in the second";
  EXPECT_EQ(place(1, 2), 1) << "nobody who comes later goes before a user's first";
  add(3, 2);
  EXPECT_EQ(place(3, 2), 2);
  queue_.take(TicketId(1));
  EXPECT_EQ(place(2, 1), 2) << "user 1 was served first, so it is first in the second round";
  EXPECT_EQ(place(2, 5), 5) << "users 2 to 5 may be served before user 1 is again";
  queue_.take(TicketId(3));
  EXPECT_EQ(place(2, 5), 4) << "user 2 was";
  EXPECT_EQ(place(2, 2), 1);
  add(4, 2);
  EXPECT_EQ(place(4, 2), 2);
  EXPECT_EQ(place(4, 5), 5) << "user 1 is ahead, and users 3 to 5 may come";
}

TEST_F(TicketQueueTest, ThePlaceCountsThoseWhoAreLeftOfARoundThatIsOver) {
  add(1, 1);
  add(2, 2);
  add(3, 2);
  queue_.leave_placeholder(TicketId(2), at(15));
  queue_.take(TicketId(1));
  queue_.take(TicketId(3));  // the second round is reached; a place of the first one is still kept
  add(4, 1);
  add(5, 1);
  EXPECT_EQ(queue_.place_of(*queue_.find(TicketId(4)), 2), 1 + 1) << "it may be taken again";
  EXPECT_EQ(queue_.place_of(*queue_.find(TicketId(5)), 2), 2 + 1 + 1)
      << "user 2 was served and may be so first in the next round";
  EXPECT_EQ(queue_.place_of(*queue_.find(TicketId(5)), 3), 2 + 1 + 2 + 1) << "a third may come";
  add(6, 3);
  EXPECT_EQ(queue_.place_of(*queue_.find(TicketId(5)), 3), 2 + 1 + 2 + 1) << "and was counted";
}

// Whatever comes and goes, nobody is granted later than the place says that was told when it came,
// nor moves back.
TEST_F(TicketQueueTest, NobodyIsGrantedLaterThanItsPlace) {
  constexpr int kUsers = 5;
  std::uint32_t chance = 7;
  const auto below = [&chance](std::uint32_t limit) {
    chance = chance * 1664525U + 1013904223U;
    return (chance >> 16U) % limit;
  };
  std::map<std::uint64_t, int> latest;  // ticket → number of the grant by which it is due
  int grants = 0;
  for (std::uint64_t id = 1; id <= 3000; ++id) {
    const std::uint32_t user = below(3) == 0 ? below(kUsers) : 1;  // one asks most
    add(id, user);
    latest[id] = grants + queue_.place_of(*queue_.find(TicketId(id)), kUsers);
    if (below(4) == 0) {  // a client leaves; it may come back, and takes the place again
      queue_.leave_placeholder(
          queue_.tickets()[below(static_cast<std::uint32_t>(queue_.size()))].id, at(1));
    }
    if (below(9) == 0) {
      queue_.expire(at(1));
    }
    while (queue_.live() > 0 && (queue_.live() > 40 || below(2) == 0)) {
      const std::uint64_t granted = take_next();
      ++grants;
      ASSERT_LE(grants, latest[granted]) << granted;
      for (const WaitingTicket& ticket : queue_.tickets()) {
        if (!ticket.live()) {
          continue;  // told anew when it comes back
        }
        const int due = grants + queue_.place_of(ticket, kUsers);
        ASSERT_LE(due, latest[ticket.id.value]) << "it moved back";
        latest[ticket.id.value] = due;
      }
    }
  }
  EXPECT_GT(grants, 1000);
}

TEST_F(TicketQueueTest, AllPlacesInOnePassAreThoseOfEach) {
  for (std::uint64_t id = 1; id <= 60; ++id) {
    add(id, static_cast<std::uint32_t>(id * id % 5));
    if (id % 4 == 0) {
      queue_.take(queue_.next(true)->id);
    }
    const std::vector<int> places = queue_.places(3);
    ASSERT_EQ(places.size(), queue_.tickets().size());
    for (std::size_t i = 0; i < places.size(); ++i) {
      EXPECT_EQ(places[i], queue_.place_of(queue_.tickets()[i], 3)) << "after " << id << ", " << i;
    }
  }
}

TEST_F(TicketQueueTest, DeadlinesMoveWhileTheClockStandsStill) {
  queue_.add(TicketId(1), UserId(0), TicketKind::Request, at(0)).deadline = at(50);
  queue_.postpone_deadlines(at(0), at(7));
  EXPECT_EQ(queue_.find(TicketId(1))->deadline, at(57));
}

TEST_F(TicketQueueTest, RemovingTheOldestLeavesTheNextOldest) {
  add(1, 0, 3);
  add(2, 0, 5);
  EXPECT_EQ(queue_.oldest(), at(3));
  EXPECT_TRUE(queue_.remove(TicketId(1)));
  EXPECT_FALSE(queue_.remove(TicketId(1)));
  EXPECT_EQ(queue_.oldest(), at(5));
}

}  // namespace
}  // namespace hf::core
