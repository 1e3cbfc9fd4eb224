// The ways in which an answer that began before its content does not get any, or is cut.

#include "net/testing/early_stream_fixture.h"

namespace hf::net::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(EarlyStreams, WhatDoesNotFitTheStreamIsBrokenAndTheStreamStaysOpen) {
  for (const auto& [head, flaw] : std::vector<std::pair<const char*, Flaw>>{
           {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
            Flaw::NoStream},
           {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", Flaw::NoStream},
           {"HTTP/1.1 204 No Content\r\n\r\n", Flaw::NoStream},
           {"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n"
            "Content-Length: 2\r\n\r\n{}",
            Flaw::Unfit}}) {
    begin_and_read_head();
    relay();
    ASSERT_TRUE(child_.send(head));
    const RelayResult result = events_.results.pop();
    EXPECT_EQ(result.end, RelayEnd::UpstreamBroken) << head;
    EXPECT_EQ(result.flaw, flaw) << head;
    EXPECT_FALSE(result.response_started);
    EXPECT_TRUE(child_.ends());
    write(": still here\n\n");
    expect_chunk(": still here\n\n");
    server_.break_stream(*exchange_, "data: no\n\n");
    EXPECT_EQ(client_.read_to_end(), "a\r\ndata: no\n\n\r\n");
  }
}

TEST_F(EarlyStreams, AnUpstreamThatDiesBeforeItsFirstByteLeavesTheStreamOpen) {
  begin_and_read_head();
  relay();
  ASSERT_TRUE(child_.send(kUpstreamHead));
  child_.close();
  const RelayResult result = events_.results.pop();
  EXPECT_EQ(result.end, RelayEnd::UpstreamBroken);
  EXPECT_FALSE(result.response_started);
  relay();
  ASSERT_TRUE(child_.send(std::string(kUpstreamHead) + "5\r\nhello\r\n" + std::string(kEnd)));
  EXPECT_EQ(client_.read_until(kEnd), "5\r\nhello\r\n" + std::string(kEnd));
  EXPECT_EQ(events_.results.pop().end, RelayEnd::Complete);
}

TEST_F(EarlyStreams, AnUpstreamThatDiesBehindItsFirstByteGetsTheErrorEvent) {
  begin_and_read_head();
  relay();
  ASSERT_TRUE(child_.send(std::string(kUpstreamHead) + "5\r\nhello\r\n"));
  EXPECT_EQ(client_.read_exactly(10), "5\r\nhello\r\n");
  child_.close();
  EXPECT_EQ(client_.read_to_end(), "1c\r\n\n\n" + std::string(kBrokenEvent) + "\r\n");
  const RelayResult result = events_.results.pop();
  EXPECT_EQ(result.end, RelayEnd::UpstreamBroken);
  EXPECT_TRUE(result.response_started);
}

TEST_F(EarlyStreams, ARefusedRelayLeavesTheStreamOpenForAnother) {
  begin_and_read_head();
  server_.relay(*exchange_, "/nowhere/socket", events_);
  const RelayResult result = events_.results.pop();
  EXPECT_EQ(result.end, RelayEnd::UpstreamRefused);
  EXPECT_FALSE(result.response_started);
  write(": again\n\n");
  expect_chunk(": again\n\n");
  relay();
  ASSERT_TRUE(child_.send(std::string(kUpstreamHead) + std::string(kEnd)));
  EXPECT_EQ(client_.read_exactly(kEnd.size()), kEnd);
}

TEST_F(EarlyStreams, AStreamMayEndAsAWholeAnswerAndTheConnectionGoesOn) {
  begin_and_read_head();
  write(": wait\n\n");
  expect_chunk(": wait\n\n");
  server_.end_stream(*exchange_, "data: done\n\n");
  expect_chunk("data: done\n\n");
  EXPECT_EQ(client_.read_exactly(kEnd.size()), kEnd);
  server_.end_stream(*exchange_, "ignored");
  ASSERT_TRUE(client_.send(get("/")));
  server_.reply(server_.next_exchange(), 200, "next");
  EXPECT_THAT(client_.read_until("next"), HasSubstr("200"));
}

TEST_F(EarlyStreams, AnOldClientSeesTheEndOfAWholeStreamAsOne) {
  begin("GET / HTTP/1.0\r\n\r\n");
  server_.end_stream(*exchange_, "data: done\n\n");
  EXPECT_THAT(client_.read_to_end(), EndsWith("\r\n\r\ndata: done\n\n"));
}

TEST_F(EarlyStreams, AStreamThatIsBrokenOffEndsWithItsLastWordsAndWithoutAnEnd) {
  begin_and_read_head();
  server_.break_stream(*exchange_, "data: sorry\n\n");
  EXPECT_EQ(client_.read_to_end(), "d\r\ndata: sorry\n\n\r\n");
  server_.wait_until_empty();
  write("ignored");
  server_.break_stream(*exchange_, "ignored");
}

TEST_F(EarlyStreams, AStreamMayBeBrokenOffInTheTurnInWhichItBegan) {
  client_ = server_.connect();
  ASSERT_TRUE(client_.send(get("/")));
  exchange_ = &server_.next_exchange();
  server_.on_loop([this] {
    StreamHead head;
    head.content_type = kEvents;
    exchange_->start_stream(std::move(head));
    exchange_->write(": 1\n\n");
    exchange_->break_stream("data: no\n\n");
  });
  EXPECT_THAT(client_.read_to_end(), EndsWith("\r\n\r\n5\r\n: 1\n\n\r\na\r\ndata: no\n\n\r\n"));
}

TEST_F(EarlyStreams, AStreamWhoseHandleIsDroppedLooksBroken) {
  server_.handler = [](const std::shared_ptr<Exchange>& exchange) {
    StreamHead head;
    head.content_type = kEvents;
    exchange->start_stream(std::move(head));
  };
  client_ = server_.connect();
  ASSERT_TRUE(client_.send(get("/")));
  const std::string all = client_.read_to_end();
  EXPECT_THAT(all, HasSubstr("data: {\"error\":"));
  EXPECT_THAT(all, Not(EndsWith(kEnd)));
}

TEST_F(EarlyStreams, AnOldClientSeesABrokenStreamAsAReset) {
  begin("GET / HTTP/1.0\r\n\r\n");
  write(": wait\n\n");
  client_.read_until(": wait\n\n");
  server_.break_stream(*exchange_, "data: sorry\n\n");
  EXPECT_TRUE(client_.ends_with_reset());
}

TEST_F(EarlyStreams, AClientThatLeavesWhileItsStreamWaitsIsNoticed) {
  for (const int how : {0, 1, 2}) {
    begin_and_read_head();
    server_.watch_disconnect(*exchange_, gone_);
    if (how == 0) {
      client_.close();
    } else if (how == 1) {
      client_.reset();
    } else {
      client_.shut_write();
    }
    EXPECT_EQ(gone_.pop(), "gone");
    write("ignored");
    server_.break_stream(*exchange_, "ignored");
    server_.start_stream(*exchange_, kEvents);
  }
}

TEST_F(EarlyStreams, AClientThatLeavesBetweenTwoRelaysIsNoticed) {
  begin_and_read_head();
  server_.relay(*exchange_, "/nowhere/socket", events_);
  EXPECT_EQ(events_.results.pop().end, RelayEnd::UpstreamRefused);
  server_.watch_disconnect(*exchange_, gone_);
  client_.close();
  EXPECT_EQ(gone_.pop(), "gone");
  server_.relay(*exchange_, upstream_.path(), events_);
  EXPECT_EQ(events_.results.pop().end, RelayEnd::ClientGone);
}

TEST_F(EarlyStreams, AClientThatLeavesWhileARelayWaitsClosesTheUpstream) {
  begin_and_read_head();
  relay();
  client_.close();
  EXPECT_TRUE(child_.ends());
  const RelayResult result = events_.results.pop();
  EXPECT_EQ(result.end, RelayEnd::ClientGone);
  EXPECT_FALSE(result.response_started);
}

TEST_F(EarlyStreams, AnAbortWhileARelayWaitsLeavesTheStreamOpen) {
  begin_and_read_head();
  relay();
  server_.abort_relay(*exchange_);
  const RelayResult result = events_.results.pop();
  EXPECT_EQ(result.end, RelayEnd::Aborted);
  EXPECT_FALSE(result.response_started);
  EXPECT_TRUE(child_.ends());
  server_.abort_relay(*exchange_);  // none runs: nothing happens
  write(": again\n\n");
  expect_chunk(": again\n\n");
  server_.break_stream(*exchange_, "data: no\n\n");
  EXPECT_EQ(client_.read_to_end(), "a\r\ndata: no\n\n\r\n");
}

TEST_F(EarlyStreams, AnAbortWhileAHalfWrittenPieceWaitsLeavesItsRestToGoOn) {
  begin(get("/"), 4096);
  write(std::string(16 * kMegabyte, 'p'));
  relay();
  ASSERT_TRUE(child_.send(std::string(kUpstreamHead) + "5\r\nhello\r\n"));
  EXPECT_EQ(events_.calls.pop(), "stall");
  server_.abort_relay(*exchange_);
  const RelayResult result = events_.results.pop();
  EXPECT_EQ(result.end, RelayEnd::Aborted);
  EXPECT_FALSE(result.response_started);
  relay();
  ASSERT_TRUE(child_.send(std::string(kUpstreamHead) + "3\r\nyes\r\n" + std::string(kEnd)));
  const WireAnswer answer = client_.read_answer();
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.body, std::string(16 * kMegabyte, 'p') + "yes");
}

TEST_F(EarlyStreams, WhoReadsNothingWhileItsStreamIsBrokenOffIsCut) {
  begin(get("/"), 4096);
  write(std::string(16 * kMegabyte, 'p'));
  server_.break_stream(*exchange_, std::string(kBrokenEvent));
  server_.wait_until_empty();
  const std::string rest = client_.read_to_end();
  EXPECT_THAT(rest, Not(EndsWith(kEnd)));
  EXPECT_THAT(rest, Not(HasSubstr(kBrokenEvent)));
}

TEST_F(EarlyStreams, AnAbortBehindTheFirstByteLooksBroken) {
  begin_and_read_head();
  relay();
  ASSERT_TRUE(child_.send(std::string(kUpstreamHead) + "5\r\nhello\r\n"));
  EXPECT_EQ(client_.read_exactly(10), "5\r\nhello\r\n");
  server_.abort_relay(*exchange_);
  EXPECT_EQ(client_.read_to_end(), "1d\r\n\n\n" + std::string(kAbortedEvent) + "\r\n");
  EXPECT_TRUE(events_.results.pop().response_started);
}

TEST_F(EarlyStreams, CloseAllCutsAStreamThatWaits) {
  begin_and_read_head();
  server_.watch_disconnect(*exchange_, gone_);
  server_.close_all();
  EXPECT_EQ(gone_.pop(), "gone");
  EXPECT_THAT(client_.read_to_end(), Not(EndsWith(kEnd)));
  server_.wait_until_empty();
}

TEST_F(EarlyStreams, CloseAllCutsAStreamWhoseRelayWaits) {
  begin_and_read_head();
  relay();
  server_.close_all();
  EXPECT_TRUE(child_.ends());
  EXPECT_EQ(events_.results.pop().end, RelayEnd::ClientGone);
  EXPECT_THAT(client_.read_to_end(), Not(EndsWith(kEnd)));
  server_.wait_until_empty();
}

TEST_F(EarlyStreams, CloseAllCutsAHalfWrittenPiece) {
  begin(get("/"), 4096);
  write(std::string(16 * kMegabyte, 'p'));
  server_.watch_disconnect(*exchange_, gone_);
  server_.close_all();
  EXPECT_EQ(gone_.pop(), "gone");
  server_.wait_until_empty();
}

}  // namespace
}  // namespace hf::net::testing
