// A relay that goes well: what reaches the child, what reaches the client and when.

#include <gmock/gmock.h>

#include "net/testing/harness.h"

namespace hf::net::testing {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\nServer: secret\r\nContent-Type: text/event-stream\r\n"
    "Access-Control-Allow-Origin: *\r\nTransfer-Encoding: chunked\r\n\r\n";

struct Relayed {
  RelayEvents events;  // outlives the server that tells it
  TestServer server;
  FakeUpstream upstream;
  WireSocket client;
  WireSocket child;
  std::string request;  // as the child got it

  // A request is on its way to the child.
  void begin(const std::string& text, int receive_buffer = 0) {
    client = WireSocket::to_port(server.port(), receive_buffer);
    HF_ASSERT(client.send(text), "sent");
    server.relay(server.next_exchange(), upstream.path(), events);
    child = upstream.accept();
    request = FakeUpstream::read_request(child);
  }
};

TEST(Relay, EachPieceArrivesBeforeTheNextIsSent) {
  Relayed r;
  r.begin(post("/v1/x?y=1", "{\"stream\":true}", "Authorization: Bearer k\r\n"));
  EXPECT_THAT(r.request, HasSubstr("POST /v1/x?y=1 HTTP/1.1\r\nHost: localhost\r\n"));
  EXPECT_THAT(r.request, ::testing::EndsWith("\r\n\r\n{\"stream\":true}"));
  EXPECT_THAT(r.request, ::testing::Not(HasSubstr("Bearer")));
  ASSERT_TRUE(r.child.send(kStreamHead));
  const std::string head = r.client.read_until("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("x-request-id: r1\r\n"));
  EXPECT_THAT(head, ::testing::Not(HasSubstr("secret")));
  EXPECT_THAT(head, ::testing::Not(HasSubstr("Access-Control")));
  for (const char* event : {"data: 1\n\n", "data: 2\n\n", "data: 3\n\n", "data: 4\n\n"}) {
    ASSERT_TRUE(r.child.send("9\r\n" + std::string(event) + "\r\n"));
    EXPECT_EQ(r.client.read_exactly(14), "9\r\n" + std::string(event) + "\r\n");
  }
  EXPECT_EQ(r.events.calls.pop(), "first");
  EXPECT_TRUE(r.events.calls.empty());
  ASSERT_TRUE(r.child.send("0\r\n\r\n"));
  EXPECT_EQ(r.client.read_exactly(5), "0\r\n\r\n");
  const RelayResult result = r.events.results.pop();
  EXPECT_EQ(result.end, RelayEnd::Complete);
  EXPECT_EQ(result.status, 200);
  EXPECT_EQ(result.bytes_to_client, 36U);
  EXPECT_TRUE(r.child.ends());
  // The connection serves on.
  ASSERT_TRUE(r.client.send(get("/next")));
  r.server.reply(r.server.next_exchange(), 200, "next");
  EXPECT_EQ(r.client.read_answer().body, "next");
}

TEST(Relay, ALengthStaysALengthAndAStatusAStatus) {
  Relayed r;
  r.begin(post("/", "{}"));
  ASSERT_TRUE(r.child.send("HTTP/1.1 100 Continue\r\n\r\n"));
  ASSERT_TRUE(r.child.send("HTTP/1.1 418 Teapot\r\nContent-Length: 5\r\n\r\nhello"));
  const WireAnswer answer = r.client.read_answer();
  EXPECT_EQ(answer.status, 418);
  EXPECT_EQ(answer.headers.at("content-length"), "5");
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(r.events.results.pop().status, 418);
}

TEST(Relay, AnOldClientGetsAStreamThatEndsWithTheConnection) {
  Relayed r;
  r.begin("GET / HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(r.child.send(std::string(kStreamHead) + "5\r\nhello\r\n0\r\n\r\n"));
  const WireAnswer answer = r.client.read_answer();
  EXPECT_FALSE(answer.headers.contains("transfer-encoding"));
  EXPECT_EQ(answer.body, "hello");
}

TEST(Relay, AHeadAnswerHasNoBody) {
  Relayed r;
  r.begin("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(r.child.send("HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n"));
  EXPECT_EQ(r.client.read_answer(true).headers.at("content-length"), "77");
  EXPECT_EQ(r.events.results.pop().end, RelayEnd::Complete);
}

TEST(Relay, ABodyThatEndsWithTheConnectionGetsAProperEnd) {
  Relayed r;
  r.begin(get("/"));
  ASSERT_TRUE(r.child.send("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello"));
  r.child.close();
  const WireAnswer answer = r.client.read_answer();
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.body, "hello");
}

TEST(Relay, CarriesLargeBodiesBothWays) {
  Relayed r;
  r.server.limit = 64 * 1024 * 1024;
  const std::string body(5 * 1024 * 1024, 'q');
  r.begin(post("/", body));
  EXPECT_TRUE(r.request.ends_with(body));
  std::string answer_body;
  for (int i = 0; i < 500'000; ++i) {
    answer_body += std::to_string(i);
  }
  ASSERT_TRUE(r.child.send(
      "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(answer_body.size()) + "\r\n\r\n"));
  std::thread reader([&] { EXPECT_EQ(r.client.read_answer().body, answer_body); });
  EXPECT_TRUE(r.child.send(answer_body));
  reader.join();
}

TEST(Relay, AnUpstreamMayAnswerBeforeItHasReadTheRequest) {
  RelayEvents events;
  TestServer server;
  FakeUpstream upstream;
  server.limit = 64 * 1024 * 1024;
  WireSocket client = server.connect();
  ASSERT_TRUE(client.send(post("/", std::string(20 * 1024 * 1024, 'q'))));
  server.relay(server.next_exchange(), upstream.path(), events);
  WireSocket child = upstream.accept();
  EXPECT_THAT(child.read_until("\r\n\r\n"), HasSubstr("20971520"));
  ASSERT_TRUE(child.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno"));
  child.close();  // most of the body was never read
  const WireAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.body, "no");
  EXPECT_EQ(events.results.pop().end, RelayEnd::Complete);
}

TEST(Relay, AStalledReaderIsReportedAndSoIsItsReturn) {
  Relayed r;
  r.begin(get("/"), 4096);
  const std::string body(16 * 1024 * 1024, 'x');
  std::thread writer([&] {
    EXPECT_TRUE(r.child.send("HTTP/1.1 200 OK\r\nContent-Length: 16777216\r\n\r\n" + body));
  });
  EXPECT_EQ(r.events.calls.pop(), "first");
  EXPECT_EQ(r.events.calls.pop(), "stall");
  const WireAnswer answer = r.client.read_answer();
  EXPECT_EQ(r.events.calls.pop(), "unstall");
  EXPECT_EQ(answer.body, body);
  EXPECT_EQ(r.events.results.pop().end, RelayEnd::Complete);
  writer.join();
}

}  // namespace
}  // namespace hf::net::testing
