#include "core/ticket_queue.h"

#include <gtest/gtest.h>

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

TEST_F(TicketQueueTest, ANewcomerGetsNoCreditForThePast) {
  for (std::uint64_t id = 1; id <= 4; ++id) {
    add(id, 1);
  }
  EXPECT_EQ(take_next(), 1U);
  EXPECT_EQ(take_next(), 2U);
  add(10, 2);
  add(11, 2);
  EXPECT_EQ(take_next(), 3U);
  EXPECT_EQ(take_next(), 10U);
  EXPECT_EQ(take_next(), 4U);
  EXPECT_EQ(take_next(), 11U);
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

TEST_F(TicketQueueTest, ThePlaceCountsOneOfEachOtherUserForEachEarlierOneOfItsOwn) {
  const auto place = [this](std::uint64_t id, int users) {
    return queue_.place_of(*queue_.find(TicketId(id)), users);
  };
  add(1, 1);
  add(2, 1);
  EXPECT_EQ(place(2, 1), 2);
  EXPECT_EQ(place(2, 2), 3) << "another user may come and be served in turn";
  EXPECT_EQ(place(1, 2), 1) << "nobody who comes later goes before a user's first";
  add(3, 2);
  EXPECT_EQ(place(3, 2), 2);
  queue_.take(TicketId(1));
  EXPECT_EQ(place(2, 1), 2);
  queue_.take(TicketId(3));
  EXPECT_EQ(place(2, 5), 1);
}

TEST_F(TicketQueueTest, ThePlaceCountsThoseWhoAreLeftOfALevelThatWasGranted) {
  add(1, 1);
  add(2, 2);
  add(3, 2);
  queue_.take(TicketId(1));  // its level is reached, and the first of user 2 still waits there
  add(4, 1);
  add(5, 1);
  EXPECT_EQ(queue_.place_of(*queue_.find(TicketId(5)), 2), 5 - 1 + 0 * 2);
  EXPECT_EQ(queue_.place_of(*queue_.find(TicketId(5)), 3), 5) << "a third user may come";
  add(6, 3);
  queue_.leave_placeholder(TicketId(2), at(15));
  EXPECT_EQ(queue_.place_of(*queue_.find(TicketId(5)), 3), 5) << "a kept place may be taken again";
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
