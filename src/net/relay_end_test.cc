// The ways in which a relay does not end well: who learns what, and that a cut answer looks cut.

#include <gmock/gmock.h>

#include "net/testing/harness.h"

namespace hf::net::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    "Transfer-Encoding: chunked\r\n\r\n";

std::string many_headers() {
  std::string text;
  for (int i = 0; i < 200; ++i) {
    text += "b:\r\n";
  }
  return text;
}

class RelayEnds : public ::testing::Test {
 protected:
  // A request reached the child.
  void begin(const std::string& request = get("/"), int receive_buffer = 0) {
    client_ = WireSocket::to_port(server_.port(), receive_buffer);
    ASSERT_TRUE(client_.send(request));
    exchange_ = &server_.next_exchange();
    server_.relay(*exchange_, upstream_.path(), events_);
    child_ = upstream_.accept();
    FakeUpstream::read_request(child_);
  }
  // … and its answer has begun: one event arrived.
  void begin_stream(const std::string& request = get("/")) {
    begin(request);
    ASSERT_TRUE(child_.send(std::string(kStreamHead) + "5\r\nhello\r\n"));
    EXPECT_THAT(client_.read_until("hello"), EndsWith("hello"));
  }

  RelayEvents events_;  // outlives the server that tells it
  TestServer server_;
  FakeUpstream upstream_;
  WireSocket client_;
  WireSocket child_;
  Exchange* exchange_ = nullptr;
};

TEST_F(RelayEnds, AClientThatLeavesBeforeTheAnswerClosesTheUpstream) {
  begin();
  client_.close();
  EXPECT_TRUE(child_.ends());
  const RelayResult result = events_.results.pop();
  EXPECT_EQ(result.end, RelayEnd::ClientGone);
  EXPECT_FALSE(result.response_started);
  server_.wait_until_empty();
}

TEST_F(RelayEnds, AClientThatLeavesMidStreamClosesTheUpstream) {
  for (const int how : {0, 1, 2}) {
    begin_stream();
    if (how == 0) {
      client_.close();
    } else if (how == 1) {
      client_.reset();
    } else {
      client_.shut_write();  // half-closing counts as leaving
    }
    EXPECT_TRUE(child_.ends());
    const RelayResult result = events_.results.pop();
    EXPECT_EQ(result.end, RelayEnd::ClientGone);
    EXPECT_TRUE(result.response_started);
  }
}

TEST_F(RelayEnds, AClientThatLeavesWhileAWriteIsBlockedIsNoticed) {
  begin(get("/"), 4096);
  std::thread writer([this] {
    // Ends when the relay closes the upstream's connection.
    EXPECT_FALSE(child_.send("HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n" +
                             std::string(64 * 1024 * 1024, 'x')));
  });
  EXPECT_EQ(events_.calls.pop(), "first");
  EXPECT_EQ(events_.calls.pop(), "stall");
  client_.close();
  EXPECT_EQ(events_.results.pop().end, RelayEnd::ClientGone);
  writer.join();
}

TEST_F(RelayEnds, AStreamWhoseUpstreamDiesEndsWithAnEventAndWithoutAnEnd) {
  begin_stream();
  child_.close();
  EXPECT_EQ(client_.read_to_end(), "\r\n1c\r\n\n\n" + std::string(kBrokenEvent) + "\r\n");
  const RelayResult result = events_.results.pop();
  EXPECT_EQ(result.end, RelayEnd::UpstreamBroken);
  EXPECT_TRUE(result.response_started);
  EXPECT_EQ(result.bytes_to_client, 5U);
}

TEST_F(RelayEnds, AStreamThatIsCutInsideAChunkStillGetsTheEvent) {
  begin_stream();
  ASSERT_TRUE(child_.send("FF\r\nhalf"));
  EXPECT_EQ(client_.read_exactly(11), "\r\n4\r\nhalf\r\n");
  child_.close();
  EXPECT_EQ(client_.read_to_end(), "1c\r\n\n\n" + std::string(kBrokenEvent) + "\r\n");
}

TEST_F(RelayEnds, TheEventBeginsWhereAnotherEnded) {
  const std::string event(kBrokenEvent);
  for (const auto& [tail, rest] : std::vector<std::pair<std::string, std::string>>{
           {"a\n\n", "1a\r\n" + event}, {"aa\n", "1b\r\n\n" + event}}) {
    begin_stream();
    ASSERT_TRUE(child_.send("3\r\n" + tail + "\r\n"));
    EXPECT_EQ(client_.read_exactly(10), "\r\n3\r\n" + tail + "\r\n");
    child_.close();
    EXPECT_EQ(client_.read_to_end(), rest + "\r\n");
  }
}

TEST_F(RelayEnds, AnEventEndThatCameInTwoPiecesCounts) {
  begin_stream();
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(child_.send("1\r\n\n\r\n"));
    EXPECT_THAT(client_.read_until("1\r\n\n"), EndsWith("\r\n1\r\n\n"));
  }
  child_.close();
  EXPECT_EQ(client_.read_to_end(), "\r\n1a\r\n" + std::string(kBrokenEvent) + "\r\n");
}

TEST_F(RelayEnds, ALineThatWasCutEndsBeforeTheErrorsLine) {
  begin();
  ASSERT_TRUE(
      child_.send("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n"));
  EXPECT_THAT(client_.read_until("{\"a\":\r\n"), EndsWith("5\r\n{\"a\":\r\n"));
  child_.close();
  EXPECT_EQ(client_.read_to_end(), "1b\r\n\n" + std::string(kBrokenEvent) + "\r\n");
}

TEST_F(RelayEnds, ABrokenChunkIsABrokenStream) {
  begin_stream();
  ASSERT_TRUE(child_.send("zz\r\n"));
  EXPECT_THAT(client_.read_to_end(), EndsWith(std::string(kBrokenEvent) + "\r\n"));
  EXPECT_EQ(events_.results.pop().end, RelayEnd::UpstreamBroken);
}

TEST_F(RelayEnds, ABodyWithALengthIsClosedShort) {
  begin();
  ASSERT_TRUE(child_.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
  child_.close();
  const WireAnswer answer = client_.read_answer();
  EXPECT_FALSE(answer.complete);
  EXPECT_EQ(answer.body, "half");
}

TEST_F(RelayEnds, ACutAnswerThatIsNoStreamGetsNoEvent) {
  begin();
  ASSERT_TRUE(
      child_.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"));
  child_.close();
  EXPECT_THAT(client_.read_to_end(), EndsWith("4\r\nhalf\r\n"));
}

TEST_F(RelayEnds, AnOldClientsCutStreamEndsWithAReset) {
  begin("GET / HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(child_.send(std::string(kStreamHead) + "5\r\nhello\r\n"));
  EXPECT_THAT(client_.read_until("hello"), EndsWith("hello"));
  child_.close();
  EXPECT_THAT(client_.read_to_end(), EndsWith(kBrokenEvent));
  EXPECT_EQ(events_.results.pop().end, RelayEnd::UpstreamBroken);
}

TEST_F(RelayEnds, AfterARefusedUpstreamAnotherMayServe) {
  FakeUpstream dead;
  dead.stop();
  client_ = server_.connect();
  ASSERT_TRUE(client_.send(post("/", "{}")));
  exchange_ = &server_.next_exchange();
  server_.relay(*exchange_, dead.path(), events_);
  const RelayResult refused = events_.results.pop();
  EXPECT_EQ(refused.end, RelayEnd::UpstreamRefused);
  EXPECT_FALSE(refused.response_started);

  server_.relay(*exchange_, upstream_.path(), events_);
  child_ = upstream_.accept();
  EXPECT_THAT(FakeUpstream::read_request(child_), EndsWith("{}"));
  ASSERT_TRUE(child_.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  EXPECT_EQ(client_.read_answer().body, "ok");
  EXPECT_EQ(events_.results.pop().end, RelayEnd::Complete);
}

TEST_F(RelayEnds, AnUpstreamThatDiesBeforeItsAnswerLeavesTheExchangeOpen) {
  for (const auto& [beginning, flaw] : std::vector<std::pair<std::string, Flaw>>{
           {"", Flaw::None},
           {"HTTP/1.1 20", Flaw::None},
           {"HTTP/1.1 200 OK\r\nContent-Le", Flaw::None},
           {"no HTTP\r\n\r\n", Flaw::Unfit},
           {"HTTP/1.1 200 OK\r\n" + many_headers() + "\r\n", Flaw::Unfit}}) {
    begin();
    ASSERT_TRUE(child_.send(beginning));
    child_.close();
    const RelayResult result = events_.results.pop();
    EXPECT_EQ(result.end, beginning.empty() ? RelayEnd::UpstreamRefused : RelayEnd::UpstreamBroken)
        << beginning;
    EXPECT_EQ(result.flaw, flaw) << beginning;
    EXPECT_FALSE(result.response_started);
    server_.reply(*exchange_, 502, "later");
    EXPECT_EQ(client_.read_answer().body, "later");
  }
}

TEST_F(RelayEnds, ASocketPathThatCannotBeIsARefusal) {
  client_ = server_.connect();
  ASSERT_TRUE(client_.send(get("/")));
  exchange_ = &server_.next_exchange();
  server_.relay(*exchange_, "/" + std::string(200, 'x'), events_);
  EXPECT_EQ(events_.results.pop().end, RelayEnd::UpstreamRefused);
}

TEST_F(RelayEnds, AnAbortMidStreamLooksBroken) {
  begin_stream();
  server_.abort_relay(*exchange_);
  EXPECT_EQ(client_.read_to_end(), "\r\n1d\r\n\n\n" + std::string(kAbortedEvent) + "\r\n");
  EXPECT_EQ(events_.results.pop().end, RelayEnd::Aborted);
  EXPECT_TRUE(child_.ends());
}

TEST_F(RelayEnds, AnAbortBeforeTheAnswerLeavesTheExchangeOpen) {
  begin();
  server_.abort_relay(*exchange_);
  const RelayResult result = events_.results.pop();
  EXPECT_EQ(result.end, RelayEnd::Aborted);
  EXPECT_FALSE(result.response_started);
  EXPECT_TRUE(child_.ends());
  server_.abort_relay(*exchange_);  // none runs: nothing happens
  server_.reply(*exchange_, 503, "sorry");
  EXPECT_EQ(client_.read_answer().body, "sorry");
}

TEST_F(RelayEnds, AnAbortOfAStalledReaderCutsTheConnection) {
  begin(get("/"), 4096);
  std::thread writer([this] {
    std::string chunk = "100000\r\n" + std::string(0x100000, 'x') + "\r\n";
    bool taken = child_.send(kStreamHead);
    for (int i = 0; taken && i < 64; ++i) {
      taken = child_.send(chunk);
    }
    EXPECT_FALSE(taken);
  });
  EXPECT_EQ(events_.calls.pop(), "first");
  EXPECT_EQ(events_.calls.pop(), "stall");
  server_.abort_relay(*exchange_);
  EXPECT_EQ(events_.results.pop().end, RelayEnd::Aborted);
  writer.join();
  const std::string rest = client_.read_to_end();
  EXPECT_THAT(rest, Not(EndsWith("0\r\n\r\n")));
  EXPECT_THAT(rest, Not(HasSubstr(kAbortedEvent)));
}

TEST_F(RelayEnds, AChildsDeathMakesABodyWithoutALengthABrokenOne) {
  begin();
  ASSERT_TRUE(child_.send("HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\nhello"));
  EXPECT_THAT(client_.read_until("hello"), EndsWith("5\r\nhello"));
  // The engine hears of the exit at about the time at which the socket closes.
  server_.on_loop([this] {
    child_.close();
    exchange_->abort_relay();
  });
  EXPECT_THAT(client_.read_to_end(), EndsWith(std::string(kAbortedEvent) + "\r\n"));
  EXPECT_EQ(events_.results.pop().end, RelayEnd::Aborted);
}

TEST_F(RelayEnds, CloseAllCutsARelay) {
  begin_stream();
  server_.close_all();
  EXPECT_TRUE(child_.ends());
  EXPECT_EQ(events_.results.pop().end, RelayEnd::ClientGone);
  EXPECT_THAT(client_.read_to_end(), Not(EndsWith("0\r\n\r\n")));
  server_.wait_until_empty();
}

TEST_F(RelayEnds, TheExchangesOwnDisconnectCallbackIsSilentDuringARelay) {
  Mailbox<std::string> gone;
  begin();
  server_.watch_disconnect(*exchange_, gone);
  client_.close();
  EXPECT_EQ(events_.results.pop().end, RelayEnd::ClientGone);
  server_.wait_until_empty();
  EXPECT_TRUE(gone.empty());
}

}  // namespace
}  // namespace hf::net::testing
