#include "net/server.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "net/asio.h"
#include "net/testing/harness.h"

namespace hf::net::testing {
namespace {

Reply text(int status, std::string body) {
  Reply reply;
  reply.status = status;
  reply.body = std::move(body);
  return reply;
}

void answer_with_target(const std::shared_ptr<Exchange>& exchange) {
  exchange->reply(text(200, exchange->head().target + "|" + std::string(exchange->body())));
}

TEST(Connection, ServesOneRequestAfterTheOther) {
  TestServer server;
  server.handler = answer_with_target;
  WireSocket client = server.connect();
  for (const char* target : {"/a", "/b?c=1", "/d"}) {
    ASSERT_TRUE(client.send(get(target)));
    const WireAnswer answer = client.read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, std::string(target) + "|");
    EXPECT_FALSE(answer.headers.contains("connection"));
  }
}

TEST(Connection, AnswersPipelinedRequestsInOrder) {
  TestServer server;
  server.handler = answer_with_target;
  WireSocket client = server.connect();
  ASSERT_TRUE(
      client.send(post("/a", "1") + get("/b") + post("/c", "333", "Connection: close\r\n")));
  EXPECT_EQ(client.read_answer().body, "/a|1");
  EXPECT_EQ(client.read_answer().body, "/b|");
  const WireAnswer last = client.read_answer();
  EXPECT_EQ(last.body, "/c|333");
  EXPECT_EQ(last.headers.at("connection"), "close");
  EXPECT_TRUE(client.ends());
}

TEST(Connection, KeepsARequestThatArrivesWhileAnotherWaits) {
  TestServer server;
  WireSocket client = server.connect();
  ASSERT_TRUE(client.send(get("/first")));
  Exchange& first = server.next_exchange();
  ASSERT_TRUE(client.send(post("/second", std::string(200'000, 'x'))));
  server.reply(first, 200, "1");
  EXPECT_EQ(client.read_answer().body, "1");
  Exchange& second = server.next_exchange();
  EXPECT_EQ(second.body().size(), 200'000U);
  server.reply(second, 200, "2");
  EXPECT_EQ(client.read_answer().body, "2");
}

TEST(Connection, SpeaksHttp10) {
  TestServer server;
  server.handler = answer_with_target;
  WireSocket client = server.connect();
  ASSERT_TRUE(client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  const WireAnswer answer = client.read_answer();
  EXPECT_EQ(answer.body, "/a|");
  EXPECT_EQ(answer.headers.at("connection"), "keep-alive");
  ASSERT_TRUE(client.send("GET /b HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(client.read_answer().body, "/b|");
  EXPECT_TRUE(client.ends());
}

TEST(Connection, AHeadRequestGetsTheHeaderOnly) {
  TestServer server;
  server.handler = answer_with_target;
  WireSocket client = server.connect();
  ASSERT_TRUE(client.send("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n" + get("/b")));
  EXPECT_EQ(client.read_answer(true).headers.at("content-length"), "3");
  EXPECT_EQ(client.read_answer().body, "/b|");
}

TEST(Connection, ASilentOneIsClosedAtItsDeadline) {
  ServerOptions options;
  options.idle_deadline = std::chrono::seconds(0);
  TestServer server(options);
  WireSocket client = server.connect();
  EXPECT_TRUE(client.ends());
}

TEST(Connection, ASlowHeaderIsCutAtItsDeadline) {
  ServerOptions options;
  options.header_deadline = std::chrono::seconds(0);
  TestServer server(options);
  WireSocket client = server.connect();
  ASSERT_TRUE(client.send("GET / HT"));
  EXPECT_TRUE(client.ends());
}

TEST(Body, ArrivesWholeWithPaddingHoweverItIsCut) {
  TestServer server;
  WireSocket client = server.connect();
  ASSERT_TRUE(client.send("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"));
  for (const char* piece :
       {"5", ";ext=1\r", "\nhel", "lo\r\n", "1\r\n \r", "\n5\r\nworld\r\n0\r\nT: 1\r\n", "\r\n"}) {
    ASSERT_TRUE(client.send(piece));
  }
  Exchange& exchange = server.next_exchange();
  EXPECT_EQ(exchange.body(), "hello world");
  EXPECT_FALSE(exchange.head().content_length.has_value());
  for (std::size_t i = 0; i < 64; ++i) {
    EXPECT_EQ(exchange.body().data()[exchange.body().size() + i], '\0');
  }
}

TEST(Body, OfTheLimitPassesOneMoreDoesNot) {
  TestServer server;
  server.limit = 100'000;
  server.handler = answer_with_target;
  WireSocket client = server.connect();
  ASSERT_TRUE(client.send(post("/", std::string(100'000, 'x'))));
  EXPECT_EQ(client.read_answer().body.size(), 100'002U);
  // The header alone decides: not one body byte was sent yet.
  ASSERT_TRUE(client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100001\r\n\r\n"));
  const WireAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.body, "at most 100000");
  EXPECT_TRUE(client.ends());
}

TEST(Body, AChunkedOneIsRefusedAsSoonAsItPassesTheLimit) {
  TestServer server;
  server.limit = 1000;
  WireSocket client = server.connect();
  ASSERT_TRUE(client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" +
                          std::string("FFFFFF\r\n") + std::string(1001, 'x')));
  EXPECT_EQ(client.read_answer().status, 413);
  EXPECT_TRUE(client.ends());
}

TEST(Body, AClientThatSendsEverythingFirstStillSeesThe413) {
  TestServer server;
  server.limit = 10;
  WireSocket client = server.connect();
  ASSERT_TRUE(client.send(post("/", std::string(16 * 1024 * 1024, 'x'))));
  EXPECT_EQ(client.read_answer().status, 413);
}

TEST(Body, ACutOneIsNoRequest) {
  TestServer server;
  WireSocket client = server.connect();
  ASSERT_TRUE(client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf"));
  client.shut_write();
  EXPECT_TRUE(client.ends());
  WireSocket other = server.connect();
  ASSERT_TRUE(other.send(get("/other")));
  EXPECT_EQ(server.next_exchange().head().path, "/other");
}

TEST(Body, AStalledOneIsToldSoAtItsDeadline) {
  ServerOptions options;
  options.body_deadline = std::chrono::seconds(0);
  TestServer server(options);
  WireSocket client = server.connect();
  ASSERT_TRUE(client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf"));
  const WireAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 408);
  EXPECT_EQ(answer.body, "/");
  EXPECT_TRUE(client.ends());
}

TEST(Expect, LeaveIsGivenOnlyAfterTheHeadWasAccepted) {
  TestServer server;
  server.limit = 10;
  server.judge = [](const RequestHead& head) -> std::optional<Reply> {
    if (head.path == "/no") {
      return text(404, "no");
    }
    return std::nullopt;
  };
  const std::string expect = "Expect: 100-continue\r\nContent-Length: ";
  WireSocket refused = server.connect();
  ASSERT_TRUE(refused.send("POST /no HTTP/1.1\r\nHost: h\r\n" + expect + "5\r\n\r\n"));
  EXPECT_EQ(refused.read_answer().status, 404);
  EXPECT_TRUE(refused.ends());

  WireSocket large = server.connect();
  ASSERT_TRUE(large.send("POST /yes HTTP/1.1\r\nHost: h\r\n" + expect + "11\r\n\r\n"));
  EXPECT_EQ(large.read_answer().status, 413);

  WireSocket client = server.connect();
  ASSERT_TRUE(client.send("POST /yes HTTP/1.1\r\nHost: h\r\n" + expect + "5\r\n\r\n"));
  EXPECT_EQ(client.read_answer().status, 100);
  ASSERT_TRUE(client.send("hello"));
  Exchange& exchange = server.next_exchange();
  EXPECT_EQ(exchange.body(), "hello");
  server.reply(exchange, 200, "ok");
  EXPECT_EQ(client.read_answer().body, "ok");
}

TEST(HeadCheck, ARefusalWithoutABodyKeepsTheConnection) {
  TestServer server;
  server.judge = [](const RequestHead&) -> std::optional<Reply> { return text(405, "no"); };
  WireSocket client = server.connect();
  ASSERT_TRUE(client.send(get("/")));
  EXPECT_EQ(client.read_answer().status, 405);
  ASSERT_TRUE(client.send(post("/", "body")));
  EXPECT_EQ(client.read_answer().status, 405);
  EXPECT_TRUE(client.ends());
}

TEST(Waiting, TheLineIsKeptAliveAndADeadClientIsFound) {
  TestServer server;
  WireSocket client = server.connect();
  ASSERT_TRUE(client.send(get("/")));
  Exchange& exchange = server.next_exchange();
  const std::uint16_t port = client.port();
  EXPECT_NE(socket_option_towards(port, SOL_SOCKET, SO_KEEPALIVE), 0);
  EXPECT_EQ(socket_option_towards(port, IPPROTO_TCP, TCP_KEEPIDLE), 60);
  EXPECT_EQ(socket_option_towards(port, IPPROTO_TCP, TCP_KEEPINTVL), 10);
  EXPECT_EQ(socket_option_towards(port, IPPROTO_TCP, TCP_KEEPCNT), 3);
  server.reply(exchange, 200, "ok");
  EXPECT_EQ(client.read_answer().body, "ok");
}

TEST(Waiting, AClientThatLeavesIsNoticed) {
  TestServer server;
  for (const bool hard : {false, true}) {
    WireSocket client = server.connect();
    ASSERT_TRUE(client.send(get("/")));
    Exchange& exchange = server.next_exchange();
    Mailbox<std::string> gone;
    server.watch_disconnect(exchange, gone);
    if (hard) {
      client.reset();
    } else {
      client.shut_write();
    }
    EXPECT_EQ(gone.pop(), "gone");
    server.reply(exchange, 200, "too late");  // allowed, does nothing
    server.wait_until_empty();
    EXPECT_TRUE(gone.empty());
  }
}

TEST(Waiting, AClientThatLeavesBehindAPipelinedRequestIsNoticed) {
  TestServer server;
  WireSocket client = server.connect();
  ASSERT_TRUE(client.send(get("/") + get("/second")));
  Mailbox<std::string> gone;
  server.watch_disconnect(server.next_exchange(), gone);
  client.close();
  EXPECT_EQ(gone.pop(), "gone");
}

TEST(Waiting, ADroppedExchangeIsAnsweredAllTheSame) {
  TestServer server;
  server.handler = [](const std::shared_ptr<Exchange>&) {};
  WireSocket client = server.connect();
  ASSERT_TRUE(client.send(get("/", "X-Request-Id: mine-1\r\n")));
  const WireAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.headers.at("x-request-id"), "mine-1");
  ASSERT_TRUE(client.send(get("/", "X-Request-Id: not sane\r\n")));
  EXPECT_EQ(client.read_answer().headers.at("x-request-id").size(), 16U);
}

TEST(Reply, ALargeOneReachesASlowReaderWhole) {
  TestServer server;
  WireSocket client = WireSocket::to_port(server.port(), 4096);
  ASSERT_TRUE(client.send(get("/")));
  server.reply(server.next_exchange(), 200, std::string(8 * 1024 * 1024, 'x'));
  const WireAnswer answer = client.read_answer();
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.body.size(), 8U * 1024 * 1024);
}

TEST(Stop, IdleConnectionsCloseAndRunningExchangesGoOn) {
  TestServer server;
  server.judge = [](const RequestHead& head) -> std::optional<Reply> {
    return head.path == "/warm" ? std::optional<Reply>(text(200, "warm")) : std::nullopt;
  };
  WireSocket idle = server.connect();
  ASSERT_TRUE(idle.send(get("/warm")));
  EXPECT_EQ(idle.read_answer().body, "warm");
  WireSocket busy = server.connect();
  ASSERT_TRUE(busy.send(get("/")));
  Exchange& exchange = server.next_exchange();
  server.stop_accepting();
  EXPECT_TRUE(idle.ends());
  EXPECT_EQ(server.open_connections(), 1U);
  server.reply(exchange, 200, "still here");
  const WireAnswer answer = busy.read_answer();
  EXPECT_EQ(answer.body, "still here");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(busy.ends());
  busy.close();
  server.wait_until_empty();
}

TEST(Stop, CloseAllCutsWhatIsLeft) {
  TestServer server;
  WireSocket client = server.connect();
  ASSERT_TRUE(client.send(get("/")));
  Mailbox<std::string> gone;
  server.watch_disconnect(server.next_exchange(), gone);
  server.close_all();
  EXPECT_EQ(gone.pop(), "gone");
  EXPECT_TRUE(client.ends());
  server.wait_until_empty();
}

TEST(Start, SaysWhyItCannotListen) {
  TestServer first;
  ServerOptions options;
  options.listen.push_back(ListenAddress{"127.0.0.1", first.port()});
  boost::asio::io_context io;
  Server taken(io, first, options);
  const Status status = taken.start();
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code, Errc::Unavailable);

  options.listen.front().host = "localhost";
  Server named(io, first, options);
  EXPECT_EQ(named.start().error().code, Errc::InvalidArgument);
}

}  // namespace
}  // namespace hf::net::testing
