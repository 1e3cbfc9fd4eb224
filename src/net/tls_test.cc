// Encrypted connections: what holds for plain ones holds for them, and an answer that was cut never
// ends like a whole one.

#include <gmock/gmock.h>
#include <openssl/tls1.h>

#include "net/testing/harness.h"
#include "net/testing/tls_wire.h"

namespace hf::net::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

ServerOptions strict(int header_deadline_s = 20) {
  ServerOptions options;
  options.plain_on_loopback = false;
  options.header_deadline = std::chrono::seconds(header_deadline_s);
  return options;
}

void answer_with_target(const std::shared_ptr<Exchange>& exchange) {
  Reply reply;
  reply.body = exchange->head().target + "|" + std::string(exchange->body()) + "$";
  exchange->reply(std::move(reply));
}

class Tls : public ::testing::Test {
 protected:
  explicit Tls(ServerOptions options = strict()) : server_(std::move(options)) {
    server_.use_tls(certificate_.load());
  }
  void begin_relay(TlsWire& client, const std::string& request = get("/")) {
    ASSERT_TRUE(client.handshake());
    ASSERT_TRUE(client.send(request));
    exchange_ = &server_.next_exchange();
    server_.relay(*exchange_, upstream_.path(), events_);
    child_ = upstream_.accept();
    FakeUpstream::read_request(child_);
  }

  TestCertificate certificate_;
  RelayEvents events_;  // outlives the server that tells it
  Mailbox<std::string> gone_;
  TestServer server_;
  FakeUpstream upstream_;
  WireSocket child_;
  Exchange* exchange_ = nullptr;
};

TEST_F(Tls, ServesOneRequestAfterTheOther) {
  server_.handler = answer_with_target;
  TlsWire client(server_.port());
  client.offer(std::string_view("\x02h2\x08http/1.1", 12));
  ASSERT_TRUE(client.handshake());
  EXPECT_EQ(client.version(), TLS1_3_VERSION);
  EXPECT_EQ(client.protocol(), "http/1.1");
  for (const char* target : {"/a", "/b"}) {
    ASSERT_TRUE(client.send(post(target, "body")));
    EXPECT_THAT(client.read_until("$"), EndsWith(std::string(target) + "|body$"));
  }
  ASSERT_TRUE(client.send(post("/c", "1") + get("/d", "Connection: close\r\n")));
  EXPECT_THAT(client.read_until("$"), EndsWith("/c|1$"));
  TlsWire::End end = TlsWire::End::Cut;
  EXPECT_THAT(client.read_to_end(end), EndsWith("/d|$"));
  EXPECT_EQ(end, TlsWire::End::Goodbye);
}

TEST_F(Tls, SpeaksTls12AndNothingOlder) {
  server_.handler = answer_with_target;
  TlsWire client(server_.port());
  client.speak_at_most(TLS1_2_VERSION);
  ASSERT_TRUE(client.handshake());
  ASSERT_TRUE(client.send(get("/a")));
  EXPECT_THAT(client.read_until("$"), EndsWith("/a|$"));
  TlsWire old(server_.port());
  old.speak_at_most(TLS1_1_VERSION);
  EXPECT_FALSE(old.handshake());
}

TEST_F(Tls, WhoSpeaksOnlyAnotherProtocolIsTurnedAway) {
  TlsWire client(server_.port());
  client.offer(std::string_view("\x02h2", 3));
  EXPECT_FALSE(client.handshake());
  client.close();
  server_.wait_until_empty();
}

TEST_F(Tls, ASessionIsResumedByItsTicket) {
  server_.handler = answer_with_target;
  TlsWire first(server_.port());
  ASSERT_TRUE(first.handshake());
  ASSERT_TRUE(first.send(get("/a")));
  first.read_until("$");
  TlsWire second(server_.port());
  second.resume(first.session());
  ASSERT_TRUE(second.handshake());
  EXPECT_TRUE(second.was_resumed());
  ASSERT_TRUE(second.send(get("/b")));
  EXPECT_THAT(second.read_until("$"), EndsWith("/b|$"));
}

TEST_F(Tls, CarriesLargeBodiesBothWays) {
  server_.limit = 16 * 1024 * 1024;
  server_.handler = answer_with_target;
  TlsWire client(server_.port());
  ASSERT_TRUE(client.handshake());
  const std::string body(8 * 1024 * 1024, 'x');
  ASSERT_TRUE(client.send(post("/a", body)));
  client.read_until("/a|");
  EXPECT_EQ(client.read_exactly(body.size()), body);
}

TEST_F(Tls, PlainHttpIsToldSo) {
  WireSocket client = server_.connect();
  ASSERT_TRUE(client.send(get("/")));
  const WireAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("this port speaks HTTPS"));
  EXPECT_TRUE(client.ends());
}

TEST_F(Tls, WhatIsNeitherIsClosed) {
  TlsWire client(server_.port());
  ASSERT_TRUE(client.send_raw(std::string("\x16\x03\x01\x00\x05hello", 10)));
  TlsWire::End end = TlsWire::End::Goodbye;
  EXPECT_EQ(client.read_to_end(end), "");
  EXPECT_EQ(end, TlsWire::End::Cut);
  server_.wait_until_empty();
}

TEST_F(Tls, APieceArrivesBeforeTheNextIsSent) {
  TlsWire client(server_.port());
  begin_relay(client);
  ASSERT_TRUE(child_.send(kStreamHead));
  for (int i = 0; i < 50; ++i) {
    const std::string piece = "data: " + std::to_string(i) + "\n\n";
    const std::size_t size = piece.size();
    ASSERT_TRUE(
        child_.send("" + std::string(1, "0123456789abcdef"[size]) + "\r\n" + piece + "\r\n"));
    EXPECT_THAT(client.read_until(piece), EndsWith(piece));
  }
  ASSERT_TRUE(child_.send("0\r\n\r\n"));
  EXPECT_THAT(client.read_until("0\r\n\r\n"), EndsWith("0\r\n\r\n"));
  EXPECT_EQ(events_.results.pop().end, RelayEnd::Complete);
  // The connection serves on.
  ASSERT_TRUE(client.send(get("/next")));
  server_.reply(server_.next_exchange(), 200, "next");
  EXPECT_THAT(client.read_until("next"), EndsWith("next"));
}

TEST_F(Tls, NewKeysInTheMiddleOfAStream) {
  TlsWire client(server_.port());
  begin_relay(client);
  ASSERT_TRUE(child_.send(std::string(kStreamHead) + "5\r\nhello\r\n"));
  client.read_until("hello");
  client.update_keys();
  ASSERT_TRUE(client.send(get("/pipelined")));  // carries the new keys
  ASSERT_TRUE(child_.send("5\r\nworld\r\n0\r\n\r\n"));
  EXPECT_THAT(client.read_until("0\r\n\r\n"), HasSubstr("world"));
  EXPECT_EQ(server_.next_exchange().head().target, "/pipelined");
}

TEST_F(Tls, AClientThatLeavesWhileItWaitsIsNoticed) {
  for (const int how : {0, 1, 2}) {
    TlsWire client(server_.port());
    ASSERT_TRUE(client.handshake());
    ASSERT_TRUE(client.send(get("/")));
    server_.watch_disconnect(server_.next_exchange(), gone_);
    if (how == 0) {
      client.close();
    } else if (how == 1) {
      client.say_goodbye();  // the socket stays open: the good-bye alone counts
    } else {
      client.shut_write();
    }
    EXPECT_EQ(gone_.pop(), "gone") << how;
  }
}

TEST_F(Tls, AClientThatLeavesMidStreamClosesTheUpstream) {
  for (const bool polite : {true, false}) {
    TlsWire client(server_.port());
    begin_relay(client);
    ASSERT_TRUE(child_.send(std::string(kStreamHead) + "5\r\nhello\r\n"));
    client.read_until("hello");
    polite ? client.say_goodbye() : client.close();
    EXPECT_TRUE(child_.ends());
    EXPECT_EQ(events_.results.pop().end, RelayEnd::ClientGone);
  }
}

TEST_F(Tls, ARequestThatIsCutIsNoRequest) {
  TlsWire client(server_.port());
  ASSERT_TRUE(client.handshake());
  ASSERT_TRUE(client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"));
  client.shut_write();
  server_.wait_until_empty();
}

TEST_F(Tls, AWholeAnswerEndsWithAGoodbye) {
  TlsWire client(server_.port());
  begin_relay(client, "GET / HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(child_.send(std::string(kStreamHead) + "5\r\nhello\r\n0\r\n\r\n"));
  TlsWire::End end = TlsWire::End::Cut;
  EXPECT_THAT(client.read_to_end(end), EndsWith("hello"));
  EXPECT_EQ(end, TlsWire::End::Goodbye);
}

TEST_F(Tls, ABrokenAnswerEndsWithoutOne) {
  for (const char* request : {"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"}) {
    TlsWire client(server_.port());
    begin_relay(client, request);
    ASSERT_TRUE(child_.send(std::string(kStreamHead) + "5\r\nhello\r\n"));
    client.read_until("hello");
    child_.close();
    TlsWire::End end = TlsWire::End::Goodbye;
    const std::string rest = client.read_to_end(end);
    EXPECT_EQ(end, TlsWire::End::Cut) << request;
    EXPECT_THAT(rest, Not(HasSubstr("0\r\n\r\n")));
    EXPECT_EQ(events_.results.pop().end, RelayEnd::UpstreamBroken);
  }
}

TEST_F(Tls, ABrokenStreamBeforeItsContentEndsWithoutOne) {
  TlsWire client(server_.port());
  ASSERT_TRUE(client.handshake());
  ASSERT_TRUE(client.send(get("/")));
  Exchange& exchange = server_.next_exchange();
  server_.start_stream(exchange, "text/event-stream");
  server_.write(exchange, ": waiting\n\n");
  client.read_until(": waiting\n\n");
  server_.break_stream(exchange, "data: sorry\n\n");
  TlsWire::End end = TlsWire::End::Goodbye;
  EXPECT_THAT(client.read_to_end(end), HasSubstr("data: sorry"));
  EXPECT_EQ(end, TlsWire::End::Cut);
}

TEST_F(Tls, AStalledReaderIsReportedAndSoIsItsReturn) {
  TlsWire client(server_.port(), 4096);
  begin_relay(client);
  constexpr std::size_t kBytes = 32 * 1024 * 1024;
  std::thread writer([this] {
    EXPECT_TRUE(child_.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kBytes) +
                            "\r\n\r\n" + std::string(kBytes, 'x')));
  });
  EXPECT_EQ(events_.calls.pop(), "first");
  EXPECT_EQ(events_.calls.pop(), "stall");
  client.read_until("\r\n\r\n");
  EXPECT_EQ(client.read_exactly(kBytes), std::string(kBytes, 'x'));
  writer.join();
  EXPECT_EQ(events_.calls.pop(), "unstall");
  EXPECT_EQ(events_.results.pop().end, RelayEnd::Complete);
}

TEST_F(Tls, ANewCertificateIsForNewConnections) {
  server_.handler = answer_with_target;
  TlsWire before(server_.port());
  ASSERT_TRUE(before.handshake());
  const TestCertificate next;
  server_.use_tls(next.load());
  TlsWire after(server_.port());
  ASSERT_TRUE(after.handshake());
  for (TlsWire* client : {&before, &after}) {
    ASSERT_TRUE(client->send(get("/a")));
    EXPECT_THAT(client->read_until("$"), EndsWith("/a|$"));
  }
  server_.use_tls(nullptr);
  WireSocket plain = server_.connect();
  ASSERT_TRUE(plain.send(get("/b")));
  EXPECT_EQ(plain.read_answer().status, 200);
}

TEST_F(Tls, StopEndsHandshakesAndIdleConnections) {
  TlsWire silent(server_.port());
  TlsWire begun(server_.port());
  ASSERT_TRUE(begun.send_raw("\x16\x03"));
  server_.handler = answer_with_target;
  TlsWire idle(server_.port());
  ASSERT_TRUE(idle.handshake());
  ASSERT_TRUE(idle.send(get("/a")));
  idle.read_until("$");
  server_.stop_accepting();
  TlsWire::End end = TlsWire::End::Cut;
  idle.read_to_end(end);
  EXPECT_EQ(end, TlsWire::End::Goodbye);
  server_.wait_until_empty();
}

TEST_F(Tls, AnUpgradeTalksBothWaysAndEndsAsBothSay) {
  TlsWire client(server_.port());
  ASSERT_TRUE(client.handshake());
  ASSERT_TRUE(client.send(get("/", "Connection: Upgrade\r\nUpgrade: websocket\r\n")));
  RelayPlan plan;
  plan.socket_path = upstream_.path();
  plan.upgrade = true;
  server_.relay(server_.next_exchange(), std::move(plan), events_);
  child_ = upstream_.accept();
  FakeUpstream::read_request(child_);
  ASSERT_TRUE(child_.send(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"));
  client.read_until("\r\n\r\n");
  constexpr std::size_t kBytes = 4 * 1024 * 1024;
  std::thread child_writes([this] { EXPECT_TRUE(child_.send(std::string(kBytes, 'd'))); });
  EXPECT_EQ(client.read_exactly(kBytes), std::string(kBytes, 'd'));
  child_writes.join();
  std::thread child_reads([this] {
    EXPECT_EQ(child_.read_exactly(kBytes), std::string(kBytes, 'u'));
    EXPECT_TRUE(child_.ends()) << "the good-bye is passed on";
    EXPECT_TRUE(child_.send("last"));
    child_.close();
  });
  ASSERT_TRUE(client.send(std::string(kBytes, 'u')));
  client.say_goodbye();  // one direction: the other goes on
  TlsWire::End end = TlsWire::End::Cut;
  EXPECT_EQ(client.read_to_end(end), "last");
  EXPECT_EQ(end, TlsWire::End::Goodbye);
  child_reads.join();
  EXPECT_EQ(events_.results.pop().end, RelayEnd::Complete);
}

class TlsDeadline : public Tls {
 protected:
  TlsDeadline() : Tls(strict(1)) {}
};

TEST_F(TlsDeadline, SlowHandshakesAreCut) {
  TlsWire silent(server_.port());
  TlsWire slow(server_.port());
  ASSERT_TRUE(slow.send_raw("\x16\x03\x01"));
  for (TlsWire* client : {&silent, &slow}) {
    TlsWire::End end = TlsWire::End::Goodbye;
    EXPECT_EQ(client->read_to_end(end), "");
    EXPECT_EQ(end, TlsWire::End::Cut);
  }
  server_.wait_until_empty();
}

class TlsOnLoopback : public Tls {
 protected:
  TlsOnLoopback() : Tls(ServerOptions{}) {}
};

TEST_F(TlsOnLoopback, BothAreServed) {
  server_.handler = answer_with_target;
  WireSocket plain = server_.connect();
  ASSERT_TRUE(plain.send(get("/a")));
  EXPECT_EQ(plain.read_answer().body, "/a|$");
  TlsWire encrypted(server_.port());
  ASSERT_TRUE(encrypted.handshake());
  ASSERT_TRUE(encrypted.send(get("/b")));
  EXPECT_THAT(encrypted.read_until("$"), EndsWith("/b|$"));
}

}  // namespace
}  // namespace hf::net::testing
