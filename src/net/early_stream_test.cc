// An answer that begins before its content: heartbeats while a request waits, the upstream's bytes
// behind them, and every way in which it can end instead.

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "net/testing/harness.h"

namespace hf::net::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kEvents = "text/event-stream";
constexpr std::string_view kUpstreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    "X-Upstream: yes\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr std::string_view kEnd = "0\r\n\r\n";
constexpr std::size_t kMegabyte = 1024 * 1024;

class EarlyStreams : public ::testing::Test {
 protected:
  // A request waits and its answer has begun.
  void begin(const std::string& request = get("/"), int receive_buffer = 0) {
    client_ = WireSocket::to_port(server_.port(), receive_buffer);
    ASSERT_TRUE(client_.send(request));
    exchange_ = &server_.next_exchange();
    server_.start_stream(*exchange_, kEvents);
  }
  void begin_and_read_head(const std::string& request = get("/")) {
    begin(request);
    EXPECT_THAT(client_.read_until("\r\n\r\n"), HasSubstr("Content-Type: text/event-stream\r\n"));
  }
  void relay() {
    server_.relay(*exchange_, upstream_.path(), events_);
    child_ = upstream_.accept();
    FakeUpstream::read_request(child_);
  }
  void write(const std::string& piece) { server_.write(*exchange_, piece); }
  void expect_chunk(const std::string& text) {
    const std::string expected = text + "\r\n";
    EXPECT_THAT(client_.read_until("\r\n"), Not(::testing::IsEmpty()));  // the size
    EXPECT_EQ(client_.read_exactly(expected.size()), expected);
  }

  RelayEvents events_;  // outlives the server that tells it
  Mailbox<std::string> gone_;
  TestServer server_;
  FakeUpstream upstream_;
  WireSocket client_;
  WireSocket child_;
  Exchange* exchange_ = nullptr;
};

TEST_F(EarlyStreams, TheHeadAndEachPieceArriveWhileTheRequestWaits) {
  begin();
  const std::string head = client_.read_until("\r\n\r\n");
  EXPECT_EQ(head,
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nx-request-id: r1\r\n"
            "Transfer-Encoding: chunked\r\n\r\n");
  for (const char* piece : {": 1\n\n", ": 2\n\n", ": 3\n\n"}) {
    write(piece);
    EXPECT_EQ(client_.read_exactly(10), "5\r\n" + std::string(piece) + "\r\n");
  }
}

TEST_F(EarlyStreams, PiecesOfTheFirstMomentAreNotDropped) {
  client_ = server_.connect();
  ASSERT_TRUE(client_.send(get("/")));
  exchange_ = &server_.next_exchange();
  server_.on_loop([this] {
    StreamHead head;
    head.content_type = kEvents;
    exchange_->write("too early");
    exchange_->start_stream(std::move(head));
    EXPECT_TRUE(exchange_->stream_started());
    exchange_->write(": 1\n\n");
    exchange_->write("");
    exchange_->write(": 2\n\n");
  });
  EXPECT_THAT(client_.read_until(": 2\n\n\r\n"),
              EndsWith("\r\n\r\n5\r\n: 1\n\n\r\n5\r\n: 2\n\n\r\n"));
}

TEST_F(EarlyStreams, ARelayContinuesInTheSameAnswer) {
  begin_and_read_head();
  write(": wait\n\n");
  expect_chunk(": wait\n\n");
  relay();
  ASSERT_TRUE(child_.send(std::string(kUpstreamHead) + "5\r\nhello\r\n"));
  EXPECT_EQ(client_.read_exactly(10), "5\r\nhello\r\n");
  ASSERT_TRUE(child_.send("1\r\n!\r\n" + std::string(kEnd)));
  EXPECT_THAT(client_.read_until(kEnd), HasSubstr("1\r\n!\r\n"));
  const RelayResult result = events_.results.pop();
  EXPECT_EQ(result.end, RelayEnd::Complete);
  EXPECT_TRUE(result.response_started);
  EXPECT_EQ(result.bytes_to_client, 6U);
  // The connection serves on.
  ASSERT_TRUE(client_.send(get("/next")));
  server_.reply(server_.next_exchange(), 200, "next");
  EXPECT_EQ(client_.read_answer().body, "next");
}

TEST_F(EarlyStreams, AnAnswerWithALengthContinuesInChunks) {
  begin_and_read_head();
  relay();
  ASSERT_TRUE(
      child_.send("HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream\r\n"
                  "Content-Length: 5\r\n\r\nhello"));
  EXPECT_EQ(client_.read_until(kEnd), "5\r\nhello\r\n" + std::string(kEnd));
}

TEST_F(EarlyStreams, AnEmptyAnswerEndsTheStream) {
  begin_and_read_head();
  relay();
  ASSERT_TRUE(child_.send(std::string(kUpstreamHead) + std::string(kEnd)));
  EXPECT_EQ(client_.read_exactly(kEnd.size()), kEnd);
  EXPECT_EQ(events_.results.pop().end, RelayEnd::Complete);
}

TEST_F(EarlyStreams, PiecesPassUntilTheUpstreamsFirstByteAndNotBehindIt) {
  begin_and_read_head();
  relay();
  write(": before the head\n\n");
  expect_chunk(": before the head\n\n");
  ASSERT_TRUE(child_.send(kUpstreamHead));
  write(": behind the head\n\n");
  expect_chunk(": behind the head\n\n");
  ASSERT_TRUE(child_.send("5\r\nhello\r\n"));
  EXPECT_EQ(client_.read_exactly(10), "5\r\nhello\r\n");
  EXPECT_EQ(events_.calls.pop(), "first");
  write(": too late\n\n");
  ASSERT_TRUE(child_.send(kEnd));
  EXPECT_EQ(client_.read_exactly(kEnd.size()), kEnd);
  EXPECT_EQ(events_.calls.pop(), "done");
  write(": much too late\n\n");
  ASSERT_TRUE(client_.send(get("/next")));
  server_.reply(server_.next_exchange(), 200, "next");
  EXPECT_EQ(client_.read_answer().body, "next");
}

TEST_F(EarlyStreams, AStreamMayBeginWhileARelayWaitsForItsAnswer) {
  client_ = server_.connect();
  ASSERT_TRUE(client_.send(get("/")));
  exchange_ = &server_.next_exchange();
  relay();
  server_.start_stream(*exchange_, kEvents);
  write(": slow\n\n");
  EXPECT_THAT(client_.read_until(": slow\n\n\r\n"), HasSubstr("chunked\r\n\r\n"));
  ASSERT_TRUE(child_.send(std::string(kUpstreamHead) + "5\r\nhello\r\n" + std::string(kEnd)));
  EXPECT_EQ(client_.read_until(kEnd), "5\r\nhello\r\n" + std::string(kEnd));
}

TEST_F(EarlyStreams, AStreamThatWouldBeginBehindAnAnswerIsNone) {
  client_ = server_.connect();
  ASSERT_TRUE(client_.send(get("/")));
  exchange_ = &server_.next_exchange();
  relay();
  ASSERT_TRUE(child_.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"));
  EXPECT_THAT(client_.read_until("\r\n\r\n"), HasSubstr("Content-Length: 5"));
  server_.start_stream(*exchange_, kEvents);
  write(": wait\n\n");
  ASSERT_TRUE(child_.send("hello"));
  EXPECT_EQ(client_.read_exactly(5), "hello");
  EXPECT_EQ(events_.results.pop().end, RelayEnd::Complete);
  server_.on_loop([this] { EXPECT_FALSE(exchange_->stream_started()); });
}

TEST_F(EarlyStreams, WhatDoesNotFitTheStreamIsBrokenAndTheStreamStaysOpen) {
  for (const char* head :
       {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n"
        "Content-Length: 2\r\n\r\n{}"}) {
    begin_and_read_head();
    relay();
    ASSERT_TRUE(child_.send(head));
    const RelayResult result = events_.results.pop();
    EXPECT_EQ(result.end, RelayEnd::UpstreamBroken) << head;
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

TEST_F(EarlyStreams, AnOldClientGetsAStreamUntilTheConnectionCloses) {
  begin("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  write(": wait\n\n");
  EXPECT_EQ(client_.read_until(": wait\n\n"),
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nx-request-id: r1\r\n"
            "Connection: close\r\n\r\n: wait\n\n");
  relay();
  ASSERT_TRUE(child_.send(std::string(kUpstreamHead) + "5\r\nhello\r\n" + std::string(kEnd)));
  EXPECT_EQ(client_.read_to_end(), "hello");
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

TEST_F(EarlyStreams, WhoReadsNothingPilesUpNothingAndMissesOnlyWholePieces) {
  begin(get("/"), 4096);
  constexpr int kPieces = 64;
  for (int i = 0; i < kPieces; ++i) {
    write(std::string(kMegabyte, static_cast<char>('!' + i)));
  }
  relay();
  ASSERT_TRUE(child_.send(std::string(kUpstreamHead) + "5\r\nhello\r\n" + std::string(kEnd)));
  const WireAnswer answer = client_.read_answer();
  EXPECT_TRUE(answer.complete);
  EXPECT_THAT(answer.body.substr(answer.body.size() - 5), "hello");
  const std::size_t pieces = answer.body.size() - 5;
  EXPECT_EQ(pieces % kMegabyte, 0U);
  EXPECT_GE(pieces, kMegabyte);
  EXPECT_LT(pieces, kPieces / 2 * kMegabyte);
  for (std::size_t at = 0; at < pieces; at += kMegabyte) {
    EXPECT_EQ(answer.body.find_first_not_of(answer.body[at], at), at + kMegabyte);
  }
}

TEST_F(EarlyStreams, TheUpstreamsBytesWaitForTheRestOfAHalfWrittenPiece) {
  begin(get("/"), 4096);
  write(std::string(16 * kMegabyte, 'p'));
  relay();
  ASSERT_TRUE(child_.send(std::string(kUpstreamHead) + "5\r\nhello\r\n"));
  EXPECT_EQ(events_.calls.pop(), "stall");  // the piece's rest counts for the reader who stalls
  ASSERT_TRUE(child_.send(kEnd));
  const WireAnswer answer = client_.read_answer();
  EXPECT_EQ(events_.calls.pop(), "unstall");
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.body, std::string(16 * kMegabyte, 'p') + "hello");
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

TEST_F(EarlyStreams, AServerThatStopsStillServesAStreamThatWaits) {
  begin_and_read_head();
  server_.stop_accepting();
  relay();
  ASSERT_TRUE(child_.send(std::string(kUpstreamHead) + "5\r\nhello\r\n" + std::string(kEnd)));
  EXPECT_EQ(client_.read_to_end(), "5\r\nhello\r\n" + std::string(kEnd));
}

TEST_F(EarlyStreams, WhoAcknowledgesNothingIsGivenUpWhileItWaitsAndNotWhileItReads) {
  begin_and_read_head();
  const auto timeout = [this] {
    return socket_option_towards(client_.port(), IPPROTO_TCP, TCP_USER_TIMEOUT);
  };
  write(": wait\n\n");
  expect_chunk(": wait\n\n");
  EXPECT_EQ(timeout(), 90'000);
  relay();
  EXPECT_EQ(timeout(), 0);
}

}  // namespace
}  // namespace hf::net::testing
