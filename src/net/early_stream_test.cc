// An answer that begins before its content: heartbeats while a request waits, and the upstream's
// bytes behind them.

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "net/testing/early_stream_fixture.h"

namespace hf::net::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

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

TEST_F(EarlyStreams, AStreamBehindAReplyOrForAHeadIsNone) {
  client_ = server_.connect();
  ASSERT_TRUE(client_.send(get("/")));
  exchange_ = &server_.next_exchange();
  server_.on_loop([this] {
    Reply reply;
    reply.body = "reply";
    exchange_->reply(std::move(reply));
    exchange_->start_stream(StreamHead{});
    EXPECT_FALSE(exchange_->stream_started());
  });
  EXPECT_EQ(client_.read_answer().body, "reply");
  ASSERT_TRUE(client_.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"));
  exchange_ = &server_.next_exchange();
  server_.start_stream(*exchange_, kEvents);
  server_.reply(*exchange_, 200, "reply");
  EXPECT_EQ(client_.read_answer(true).headers.at("content-length"), "5");
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
  EXPECT_NE(client_.read_until("\r\n\r\n"), "");  // behind a head that is still there none is taken
  write(std::string(16 * kMegabyte, 'p'));
  relay();
  ASSERT_TRUE(child_.send(std::string(kUpstreamHead) + "5\r\nhello\r\n"));
  EXPECT_EQ(events_.calls.pop(), "stall");  // the piece's rest counts for the reader who stalls
  ASSERT_TRUE(child_.send(kEnd));
  expect_chunk(std::string(16 * kMegabyte, 'p'));
  EXPECT_EQ(events_.calls.pop(), "unstall");
  const std::string rest = "5\r\nhello\r\n" + std::string(kEnd);
  EXPECT_EQ(client_.read_exactly(rest.size()), rest);
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
  server_.on_loop([&] { EXPECT_EQ(timeout(), 0); });
}

}  // namespace
}  // namespace hf::net::testing
