#include "net/body_budget.h"

#include <gtest/gtest.h>

#include "net/testing/harness.h"

namespace hf::net::testing {
namespace {

constexpr std::size_t kLarge = 256 * 1024;

TEST(BodyBudget, CountsWhatIsNotSmallUntilItGoes) {
  const auto budget = std::make_shared<BodyBudget>();
  budget->set_limit(3 * kSmallBody);
  BodyShare small(budget);
  EXPECT_TRUE(small.grow_to(kSmallBody));
  EXPECT_EQ(budget->held(), 0U);
  {
    BodyShare first(budget);
    EXPECT_TRUE(first.grow_to(2 * kSmallBody));
    BodyShare moved(std::move(first));
    EXPECT_TRUE(moved.grow_to(3 * kSmallBody));
    EXPECT_EQ(budget->held(), 3 * kSmallBody);
    EXPECT_FALSE(small.grow_to(kSmallBody + 1));
    EXPECT_FALSE(budget->has_room_for(kSmallBody + 1));
    EXPECT_TRUE(budget->has_room_for(kSmallBody));
  }
  EXPECT_EQ(budget->held(), 0U);
  EXPECT_TRUE(small.grow_to(3 * kSmallBody));
  budget->set_limit(kSmallBody);  // less than is held
  EXPECT_FALSE(budget->has_room_for(2 * kSmallBody));
}

// Answers "/held" only when the test says so, and everything else at once.
class Bodies : public ::testing::Test {
 protected:
  Bodies() {
    server_.limit_of_all = kLarge + kLarge / 2;
    server_.handler = [this](const std::shared_ptr<Exchange>& exchange) {
      if (exchange->head().path == "/held") {
        held_ = exchange;
        came_.push("held");
        return;
      }
      Reply reply;
      reply.body = std::to_string(exchange->body().size());
      exchange->reply(std::move(reply));
    };
  }
  void answer_held() {
    server_.on_loop([this] { std::exchange(held_, nullptr)->reply({}); });
  }

  std::shared_ptr<Exchange> held_;  // loop thread
  Mailbox<std::string> came_;
  TestServer server_;
};

TEST_F(Bodies, OneTooManyIsToldToComeAgainAndSmallOnesPass) {
  WireSocket first = server_.connect();
  ASSERT_TRUE(first.send(post("/held", std::string(kLarge, 'x'))));
  EXPECT_EQ(came_.pop(), "held");

  WireSocket second = server_.connect();  // not one byte of its body is read
  ASSERT_TRUE(
      second.send("POST /more HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                  "Content-Length: 262144\r\n\r\n"));
  const WireAnswer refusal = second.read_answer();
  EXPECT_EQ(refusal.status, 503);
  EXPECT_EQ(refusal.body, "/more");
  EXPECT_TRUE(second.ends());

  WireSocket chunked = server_.connect();  // nobody knows its size before it comes
  ASSERT_TRUE(
      chunked.send("POST /chunks HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "FFFFFF\r\n" +
                   std::string(kLarge, 'x')));
  EXPECT_EQ(chunked.read_answer().status, 503);
  EXPECT_TRUE(chunked.ends());

  WireSocket small = server_.connect();
  ASSERT_TRUE(small.send(post("/small", std::string(kSmallBody, 'x'))));
  EXPECT_EQ(small.read_answer().body, std::to_string(kSmallBody));

  answer_held();
  EXPECT_EQ(first.read_answer().status, 200);
  ASSERT_TRUE(first.send(post("/again", std::string(kLarge, 'x'))));
  EXPECT_EQ(first.read_answer().body, std::to_string(kLarge));
}

}  // namespace
}  // namespace hf::net::testing
