// Connections that change to another protocol: what passes, in which order they end, and that
// nothing a client sends behind such a wish is ever taken for a request.

#include <gmock/gmock.h>

#include "net/testing/harness.h"

namespace hf::net::testing {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kSwitch =
    "HTTP/1.1 101 Switching Protocols\r\nServer: secret\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Accept: a\r\n\r\n";
constexpr std::size_t kMegabyte = 1024 * 1024;

std::string wish(std::string_view more_headers = {}) {
  return get("/v1/realtime?model=m",
             "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n"
             "Sec-WebSocket-Version: 13\r\n" +
                 std::string(more_headers));
}

class Upgrades : public ::testing::Test {
 protected:
  void ask(const std::string& request, int receive_buffer = 0) {
    client_ = WireSocket::to_port(server_.port(), receive_buffer);
    ASSERT_TRUE(client_.send(request));
    exchange_ = &server_.next_exchange();
    RelayPlan plan;
    plan.socket_path = upstream_.path();
    plan.upgrade = true;
    server_.relay(*exchange_, std::move(plan), events_);
    child_ = upstream_.accept();
    request_ = FakeUpstream::read_request(child_);
  }
  // Both sides talk.
  void begin(const std::string& request = wish(), int receive_buffer = 0) {
    ask(request, receive_buffer);
    ASSERT_TRUE(child_.send(kSwitch));
    head_ = client_.read_until("\r\n\r\n");
  }
  void expect_end(RelayEnd end) {
    const RelayResult result = events_.results.pop();
    EXPECT_EQ(result.end, end);
    EXPECT_TRUE(result.response_started);
    EXPECT_EQ(result.status, 101);
  }
  void expect_unfit() {
    const RelayResult result = events_.results.pop();
    EXPECT_EQ(result.end, RelayEnd::UpstreamBroken);
    EXPECT_EQ(result.flaw, Flaw::Unfit);
    EXPECT_FALSE(result.response_started);
  }

  RelayEvents events_;  // outlives the server that tells it
  TestServer server_;
  FakeUpstream upstream_;
  WireSocket client_;
  WireSocket child_;
  std::string request_;
  std::string head_;
  Exchange* exchange_ = nullptr;
};

TEST_F(Upgrades, TheWishAndItsAnswerPass) {
  begin(wish("Authorization: Bearer secret\r\n"));
  EXPECT_THAT(request_, StartsWith("GET /v1/realtime?model=m HTTP/1.1\r\nHost: localhost\r\n"));
  EXPECT_THAT(request_, HasSubstr("Sec-WebSocket-Key: k\r\nSec-WebSocket-Version: 13\r\n"));
  EXPECT_THAT(request_, EndsWith("Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"));
  EXPECT_THAT(request_, Not(HasSubstr("secret")));
  EXPECT_EQ(head_,
            "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: a\r\nx-request-id: r1\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
}

TEST_F(Upgrades, EachSidesBytesGoToTheOtherAsTheyCome) {
  begin();
  for (const char* word : {"one", "two", "six"}) {
    ASSERT_TRUE(client_.send(word));
    EXPECT_EQ(child_.read_exactly(3), word);
    ASSERT_TRUE(child_.send(word));
    EXPECT_EQ(client_.read_exactly(3), word);
  }
  EXPECT_EQ(events_.calls.pop(), "first");
  EXPECT_TRUE(events_.calls.empty());
  child_.close();
  EXPECT_TRUE(client_.ends());
  client_.close();
  const RelayResult result = events_.results.pop();
  EXPECT_EQ(result.end, RelayEnd::Complete);
  EXPECT_EQ(result.bytes_to_client, 9U);
}

TEST_F(Upgrades, WhatWasSentBehindTheHeadsIsTheBeginningOfTheTalk) {
  ask(wish() + "early");
  ASSERT_TRUE(child_.send(std::string(kSwitch) + "hello"));
  EXPECT_THAT(client_.read_until("hello"), EndsWith("\r\n\r\nhello"));
  EXPECT_EQ(child_.read_exactly(5), "early");
}

TEST_F(Upgrades, CarryMuchInBothDirectionsAtOnce) {
  begin();
  const std::string up(16 * kMegabyte, 'u');
  const std::string down(16 * kMegabyte, 'd');
  std::thread client_writes([&] { EXPECT_TRUE(client_.send(up)); });
  std::thread child_writes([&] { EXPECT_TRUE(child_.send(down)); });
  std::thread child_reads([&] { EXPECT_EQ(child_.read_exactly(up.size()), up); });
  EXPECT_EQ(client_.read_exactly(down.size()), down);
  client_writes.join();
  child_writes.join();
  child_reads.join();
}

TEST_F(Upgrades, AnUpstreamThatClosesEndsTheTalkCleanly) {
  begin();
  ASSERT_TRUE(child_.send("bye"));
  child_.close();
  EXPECT_EQ(client_.read_exactly(3), "bye");
  EXPECT_FALSE(client_.ends_with_reset());
  client_.close();
  expect_end(RelayEnd::Complete);
}

TEST_F(Upgrades, AClientMayFinishWhatItWasSayingWhenTheUpstreamHasClosedItsSide) {
  begin();
  child_.shut_write();
  EXPECT_TRUE(client_.ends());
  ASSERT_TRUE(client_.send("last"));
  client_.shut_write();
  EXPECT_EQ(child_.read_to_end(), "last");
  expect_end(RelayEnd::Complete);
}

TEST_F(Upgrades, AClientsHalfCloseIsPassedOnAndTheAnswerToItStillCome) {
  begin();
  ASSERT_TRUE(client_.send("close"));
  client_.shut_write();
  EXPECT_EQ(child_.read_to_end(), "close");
  ASSERT_TRUE(child_.send("closed"));
  child_.close();
  EXPECT_EQ(client_.read_exactly(6), "closed");
  EXPECT_FALSE(client_.ends_with_reset());
  expect_end(RelayEnd::Complete);
}

TEST_F(Upgrades, AnUpstreamThatDoesNotFinishBehindAHalfCloseIsCutAndLooksCut) {
  begin();
  client_.shut_write();
  EXPECT_TRUE(child_.ends());
  EXPECT_TRUE(client_.ends_with_reset());  // after a while
  expect_end(RelayEnd::Complete);
}

TEST_F(Upgrades, AClientThatResetsClosesTheUpstream) {
  begin();
  client_.reset();
  EXPECT_TRUE(child_.ends());
  expect_end(RelayEnd::ClientGone);
  server_.wait_until_empty();
}

TEST_F(Upgrades, AClientThatLeavesBeforeTheAnswerClosesTheUpstream) {
  ask(wish());
  client_.close();
  EXPECT_TRUE(child_.ends());
  const RelayResult result = events_.results.pop();
  EXPECT_EQ(result.end, RelayEnd::ClientGone);
  EXPECT_FALSE(result.response_started);
}

TEST_F(Upgrades, AnUpstreamThatBreaksLooksBroken) {
  begin();
  ASSERT_TRUE(client_.send("one"));
  EXPECT_EQ(child_.read_exactly(3), "one");
  ASSERT_TRUE(client_.send("more"));
  child_.wait_for_input();
  child_.close();  // with bytes unread
  EXPECT_TRUE(client_.ends_with_reset());
  expect_end(RelayEnd::UpstreamBroken);
}

TEST_F(Upgrades, AnAbortCutsBothSides) {
  begin();
  server_.abort_relay(*exchange_);
  EXPECT_TRUE(client_.ends_with_reset());
  EXPECT_TRUE(child_.ends());
  expect_end(RelayEnd::Aborted);
}

TEST_F(Upgrades, AnAbortBeforeTheAnswerLeavesTheExchangeOpen) {
  ask(wish());
  server_.abort_relay(*exchange_);
  EXPECT_EQ(events_.results.pop().end, RelayEnd::Aborted);
  server_.reply(*exchange_, 503, "sorry");
  EXPECT_EQ(client_.read_answer().body, "sorry");
  EXPECT_TRUE(client_.ends());
}

TEST_F(Upgrades, AChildsDeathLooksBrokenAlthoughItsSocketJustCloses) {
  begin();
  server_.on_loop([this] {
    child_.close();
    exchange_->abort_relay();
  });
  EXPECT_TRUE(client_.ends_with_reset());
  expect_end(RelayEnd::Aborted);
}

TEST_F(Upgrades, CloseAllCutsATalk) {
  begin();
  server_.close_all();
  EXPECT_TRUE(child_.ends());
  expect_end(RelayEnd::ClientGone);
  server_.wait_until_empty();
}

TEST_F(Upgrades, AStalledReaderIsReportedAndHoldsTheUpstreamBack) {
  begin(wish(), 4096);
  const std::string down(64 * kMegabyte, 'd');
  std::thread child_writes([&] { EXPECT_TRUE(child_.send(down)); });
  EXPECT_EQ(events_.calls.pop(), "first");
  EXPECT_EQ(events_.calls.pop(), "stall");
  ASSERT_TRUE(client_.send("still here"));  // the other direction goes on
  EXPECT_EQ(child_.read_exactly(10), "still here");
  EXPECT_EQ(client_.read_exactly(down.size()), down);
  EXPECT_EQ(events_.calls.pop(), "unstall");
  child_writes.join();
}

TEST_F(Upgrades, AClientThatResetsBeforeAnUpstreamThatTakesNothingIsNoticed) {
  begin();
  client_.send_until_stuck();
  client_.reset();
  expect_end(RelayEnd::ClientGone);
}

TEST_F(Upgrades, AClientThatClosesBeforeAnUpstreamThatTakesNothingIsNoticed) {
  begin();
  // More than the upstream's socket holds, no more than that and what is read ahead.
  ASSERT_TRUE(client_.send(std::string(256 * 1024, 'x')));
  client_.close();
  expect_end(RelayEnd::ClientGone);
  child_.read_to_end();
}

TEST_F(Upgrades, AnotherAnswerIsRelayedAndNothingBehindTheWishIsTakenForARequest) {
  int requests = 0;
  server_.judge = [&](const RequestHead&) {
    ++requests;
    return std::nullopt;
  };
  ask(wish() + get("/second"));
  ASSERT_TRUE(child_.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
  const WireAnswer answer = client_.read_answer();
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(client_.ends());
  EXPECT_TRUE(child_.ends());  // and it never saw them either
  EXPECT_EQ(events_.results.pop().end, RelayEnd::Complete);
  client_.close();
  server_.wait_until_empty();
  server_.on_loop([&] { EXPECT_EQ(requests, 1); });
}

TEST_F(Upgrades, OurOwnAnswerToAWishEndsTheConnectionToo) {
  client_ = server_.connect();
  ASSERT_TRUE(client_.send(wish() + get("/second")));
  server_.reply(server_.next_exchange(), 404, "no such model");
  const WireAnswer answer = client_.read_answer();
  EXPECT_EQ(answer.body, "no such model");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(client_.ends());
}

TEST_F(Upgrades, AnErrorMayBeCollected) {
  client_ = server_.connect();
  ASSERT_TRUE(client_.send(wish()));
  exchange_ = &server_.next_exchange();
  RelayPlan plan;
  plan.socket_path = upstream_.path();
  plan.upgrade = true;
  plan.collect_errors = true;
  server_.relay(*exchange_, std::move(plan), events_);
  child_ = upstream_.accept();
  FakeUpstream::read_request(child_);
  ASSERT_TRUE(child_.send("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nwhy"));
  EXPECT_EQ(events_.results.pop().error_body, "why");
}

TEST_F(Upgrades, ASwitchThatNobodyAskedForOrThatSaysNotToWhatIsUnfit) {
  client_ = server_.connect();
  ASSERT_TRUE(client_.send(wish()));
  exchange_ = &server_.next_exchange();
  server_.relay(*exchange_, upstream_.path(), events_);  // without plan.upgrade
  child_ = upstream_.accept();
  EXPECT_THAT(FakeUpstream::read_request(child_),
              AllOf(HasSubstr("Connection: close\r\n"), Not(HasSubstr("Upgrade"))));
  ASSERT_TRUE(child_.send(kSwitch));
  expect_unfit();
  ask(wish());
  ASSERT_TRUE(child_.send("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
  expect_unfit();
}

TEST_F(Upgrades, AnOldClientCannotUpgrade) {
  ask("GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_THAT(request_, Not(HasSubstr("Upgrade")));
  ASSERT_TRUE(child_.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
  EXPECT_EQ(client_.read_answer().body, "hello");
}

}  // namespace
}  // namespace hf::net::testing
