// What a plan may ask for besides a plain relay: another request, a port, the upstream's error.

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "net/testing/harness.h"

namespace hf::net::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class PlannedRelay : public ::testing::Test {
 protected:
  void ask(const std::string& request) {
    client_ = server_.connect();
    ASSERT_TRUE(client_.send(request));
    exchange_ = &server_.next_exchange();
  }
  void relay(RelayPlan plan) {
    plan.socket_path = upstream_.path();
    server_.relay(*exchange_, std::move(plan), events_);
    child_ = upstream_.accept();
    request_ = FakeUpstream::read_request(child_);
  }
  void relay_for_errors() {
    ask(post("/", "{}"));
    RelayPlan plan;
    plan.collect_errors = true;
    relay(std::move(plan));
  }
  // The error, and the proof that the exchange is still open.
  RelayResult collected() {
    RelayResult result = events_.results.pop();
    EXPECT_EQ(result.end, RelayEnd::UpstreamError);
    EXPECT_FALSE(result.response_started);
    server_.reply(*exchange_, 400, "ours");
    EXPECT_EQ(client_.read_answer().body, "ours");
    return result;
  }

  RelayEvents events_;  // outlives the server that tells it
  TestServer server_;
  FakeUpstream upstream_;
  WireSocket client_;
  WireSocket child_;
  std::string request_;
  Exchange* exchange_ = nullptr;
};

TEST_F(PlannedRelay, TheUpstreamGetsAnotherRequestLineAndBody) {
  ask(post("/api/chat?x=1", "{\"old\":1}", "Content-Type: text/plain\r\nUser-Agent: u\r\n"));
  RelayPlan plan;
  plan.request.emplace();
  plan.request->target = "/v1/chat/completions";
  plan.request->body = std::make_shared<const std::string>("{\"new\":true}");
  relay(std::move(plan));
  EXPECT_THAT(request_, StartsWith("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"));
  EXPECT_THAT(request_, HasSubstr("User-Agent: u\r\n"));
  EXPECT_THAT(request_, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(request_, Not(HasSubstr("text/plain")));
  EXPECT_THAT(request_, EndsWith("\r\n\r\n{\"new\":true}"));
  ASSERT_TRUE(child_.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  EXPECT_EQ(client_.read_answer().body, "ok");
}

TEST_F(PlannedRelay, TheClientsBodyMayKeepATypeOfItsOwn) {
  ask(post("/v1/audio", "--b\r\n--b--", "Content-Type: multipart/form-data; boundary=b\r\n"));
  RelayPlan plan;
  plan.request.emplace();
  plan.request->target = "/v1/audio";
  plan.request->content_type = "multipart/form-data; boundary=b";
  relay(std::move(plan));
  EXPECT_THAT(request_, HasSubstr("Content-Type: multipart/form-data; boundary=b\r\n"));
  EXPECT_THAT(request_, EndsWith("\r\n\r\n--b\r\n--b--"));
}

TEST_F(PlannedRelay, APostMayBecomeAGetWithoutABody) {
  ask(post("/api/show", "{\"old\":1}", "Content-Type: text/plain\r\n"));
  RelayPlan plan;
  plan.request.emplace();
  plan.request->method = "GET";
  plan.request->target = "/props";
  plan.request->body = std::make_shared<const std::string>();
  relay(std::move(plan));
  EXPECT_THAT(request_, StartsWith("GET /props HTTP/1.1\r\n"));
  EXPECT_THAT(request_, Not(HasSubstr("Content-")));
}

TEST_F(PlannedRelay, AHeadAnswerHasNoBodyWhateverTheUpstreamWasAsked) {
  ask("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  RelayPlan plan;
  plan.request.emplace();
  plan.request->method = "GET";
  plan.request->target = "/";
  relay(std::move(plan));
  ASSERT_TRUE(child_.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
  EXPECT_EQ(client_.read_answer(true).headers.at("content-length"), "5");
  EXPECT_EQ(events_.results.pop().end, RelayEnd::Complete);
  ASSERT_TRUE(client_.send(get("/next")));
  server_.reply(server_.next_exchange(), 200, "next");
  EXPECT_EQ(client_.read_answer().body, "next");
}

TEST_F(PlannedRelay, ATargetCannotSplitTheRequest) {
  ask(get("/"));
  RelayPlan plan;
  plan.request.emplace();
  plan.request->method = "GET";
  plan.request->target = "/a HTTP/1.1\r\nX: y\r\n\r\n";
  relay(std::move(plan));
  EXPECT_THAT(request_, StartsWith("GET /aHTTP/1.1X:y HTTP/1.1\r\nHost: localhost\r\n"));
}

TEST_F(PlannedRelay, AnUpstreamMayListenOnAPort) {
  FakeUpstream engine(FakeUpstream::Kind::Port);
  ask(post("/v1/x", "{}"));
  RelayPlan plan;
  plan.port = engine.port();
  server_.relay(*exchange_, std::move(plan), events_);
  child_ = engine.accept();
  EXPECT_THAT(FakeUpstream::read_request(child_), EndsWith("\r\n\r\n{}"));
  EXPECT_NE(socket_option_towards(engine.port(), IPPROTO_TCP, TCP_NODELAY), 0);
  ASSERT_TRUE(child_.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  EXPECT_EQ(client_.read_answer().body, "ok");
  EXPECT_TRUE(child_.ends());
}

TEST_F(PlannedRelay, APortWhereNobodyListensIsARefusal) {
  std::uint16_t port = 0;
  {
    const FakeUpstream engine(FakeUpstream::Kind::Port);
    port = engine.port();
  }
  ask(get("/"));
  RelayPlan plan;
  plan.port = port;
  server_.relay(*exchange_, std::move(plan), events_);
  EXPECT_EQ(events_.results.pop().end, RelayEnd::UpstreamRefused);
  server_.reply(*exchange_, 502, "sorry");
  EXPECT_EQ(client_.read_answer().body, "sorry");
}

TEST_F(PlannedRelay, AnErrorIsCollectedHoweverItIsDelimited) {
  for (const char* text : {"HTTP/1.1 400 Bad Request\r\nContent-Length: 9\r\n\r\n{\"why\":1}",
                           "HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: "
                           "chunked\r\n\r\n4\r\n{\"wh\r\n5\r\ny\":1}\r\n"
                           "0\r\n\r\n",
                           "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n{\"why\":1}"}) {
    relay_for_errors();
    ASSERT_TRUE(child_.send(text));
    child_.close();
    const RelayResult result = collected();
    EXPECT_EQ(result.status, 400);
    EXPECT_EQ(result.error_body, "{\"why\":1}") << text;
  }
}

TEST_F(PlannedRelay, AnErrorWithoutABodyIsOneToo) {
  relay_for_errors();
  ASSERT_TRUE(child_.send("HTTP/1.1 503 Loading\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(collected().status, 503);
}

TEST_F(PlannedRelay, AnErrorThatIsCutCountsForWhatCame) {
  relay_for_errors();
  ASSERT_TRUE(child_.send("HTTP/1.1 500 Oh\r\nContent-Length: 100\r\n\r\npart"));
  child_.close();
  EXPECT_EQ(collected().error_body, "part");
}

TEST_F(PlannedRelay, AnEndlessErrorIsCut) {
  relay_for_errors();
  ASSERT_TRUE(child_.send("HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n"));
  const std::string chunk = "8000\r\n" + std::string(0x8000, 'x') + "\r\n";
  while (child_.send(chunk)) {
  }
  EXPECT_EQ(collected().error_body, std::string(64 * 1024, 'x'));
}

TEST_F(PlannedRelay, AnErrorPassesWhenNobodyCollectsIt) {
  ask(post("/", "{}"));
  relay(RelayPlan{});
  ASSERT_TRUE(child_.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nwhy"));
  EXPECT_EQ(client_.read_answer().body, "why");
  EXPECT_EQ(events_.results.pop().end, RelayEnd::Complete);
}

TEST_F(PlannedRelay, WhatIsNoErrorPassesWhenErrorsAreCollected) {
  relay_for_errors();
  ASSERT_TRUE(child_.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"));
  EXPECT_EQ(client_.read_answer().body, "yes");
  EXPECT_EQ(events_.results.pop().end, RelayEnd::Complete);
}

TEST_F(PlannedRelay, AfterAnErrorAnotherRelayMayFollow) {
  relay_for_errors();
  ASSERT_TRUE(child_.send("HTTP/1.1 503 Loading\r\nContent-Length: 4\r\n\r\nwait"));
  EXPECT_EQ(events_.results.pop().error_body, "wait");
  relay(RelayPlan{});
  ASSERT_TRUE(child_.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"));
  EXPECT_EQ(client_.read_answer().body, "yes");
}

TEST_F(PlannedRelay, AClientThatLeavesWhileAnErrorIsCollectedIsGone) {
  relay_for_errors();
  ASSERT_TRUE(child_.send("HTTP/1.1 500 Oh\r\nContent-Length: 100\r\n\r\npart"));
  client_.close();
  EXPECT_TRUE(child_.ends());
  EXPECT_EQ(events_.results.pop().end, RelayEnd::ClientGone);
}

TEST_F(PlannedRelay, AnAbortWhileAnErrorIsCollectedLeavesTheExchangeOpen) {
  relay_for_errors();
  ASSERT_TRUE(child_.send("HTTP/1.1 500 Oh\r\nContent-Length: 100\r\n\r\npart"));
  server_.abort_relay(*exchange_);
  EXPECT_EQ(events_.results.pop().end, RelayEnd::Aborted);
  server_.reply(*exchange_, 503, "sorry");
  EXPECT_EQ(client_.read_answer().body, "sorry");
}

}  // namespace
}  // namespace hf::net::testing
