// Requests that two readers could understand differently are refused and end their connection.

#include <gtest/gtest.h>

#include <ostream>

#include "net/testing/harness.h"

namespace hf::net::testing {
namespace {

struct Case {
  const char* name;
  std::string text;
};
std::ostream& operator<<(std::ostream& out, const Case& each) {
  return out << each.name;
}

class Smuggling : public ::testing::TestWithParam<Case> {};

TEST_P(Smuggling, IsRefusedAndTheConnectionCloses) {
  TestServer server;
  bool handled = false;
  server.handler = [&](const std::shared_ptr<Exchange>& exchange) {
    handled = true;
    exchange->reply(Reply{});
  };
  WireSocket client = server.connect();
  ASSERT_TRUE(client.send(GetParam().text + get("/second")));
  const WireAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 400) << answer.body;
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(client.ends());
  server.on_loop([&] { EXPECT_FALSE(handled); });
}

std::string with(std::string_view headers, std::string_view body = {}) {
  return "POST / HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n" + std::string(body);
}
std::string chunked(std::string_view body) {
  return with("Transfer-Encoding: chunked\r\n", body);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Smuggling,
    ::testing::Values(
        Case{"BothLengthAndEncoding",
             with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
        Case{"BothEncodingAndLength",
             with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")},
        Case{"TwoLengths", with("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!")},
        Case{"LengthList", with("Content-Length: 5, 6\r\n", "hello!")},
        Case{"SignedLength", with("Content-Length: +5\r\n", "hello")},
        Case{"NegativeLength", with("Content-Length: -5\r\n", "hello")},
        Case{"HexLength", with("Content-Length: 0x5\r\n", "hello")},
        Case{"HugeLength", with("Content-Length: 99999999999999999999999\r\n", "hello")},
        Case{"EmptyLength", with("Content-Length: \r\n", "hello")},
        Case{"OtherEncoding", with("Transfer-Encoding: gzip\r\n", "x")},
        Case{"EncodingList", with("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")},
        Case{"ChunkedTwice", with("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")},
        Case{"TwoEncodings",
             with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n")},
        Case{"EncodingIn10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        Case{"FoldedLine", with("X: a\r\n b\r\n")},
        Case{"SpaceBeforeColon", with("Content-Length : 5\r\n", "hello")},
        Case{"BareCr", with("X: a\rb\r\n")},
        Case{"BareLf", with("X: a\nContent-Length: 5\r\n", "hello")},
        Case{"Nul", with(std::string_view("X: a\0b\r\n", 8))},
        Case{"NoHost", "GET / HTTP/1.1\r\n\r\n"},
        Case{"TwoHosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
        Case{"BadVersion", "GET / HTTP/2.0\r\nHost: h\r\n\r\n"},
        Case{"NotHttp", "\x16\x03\x01 tls\r\n\r\n"},
        Case{"ChunkSizeNotHex", chunked("5x\r\nhello\r\n0\r\n\r\n")},
        Case{"ChunkSizePrefix", chunked("0x5\r\nhello\r\n0\r\n\r\n")},
        Case{"ChunkSizeSigned", chunked("-5\r\nhello\r\n0\r\n\r\n")},
        Case{"ChunkSizeEmpty", chunked("\r\nhello\r\n0\r\n\r\n")},
        Case{"ChunkSizeOverflow", chunked("1FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n")},
        Case{"ChunkTooShort", chunked("4\r\nhello\r\n0\r\n\r\n")},
        Case{"ChunkBareLf", chunked("5\nhello\r\n0\r\n\r\n")},
        Case{"ChunkExtensionWithLf", chunked("5;a=\n\r\nhello\r\n0\r\n\r\n")},
        Case{"EndlessChunkLine", chunked("5;a=" + std::string(70'000, 'x'))}),
    [](const auto& each) { return each.param.name; });

TEST(HeaderLimit, AnEndlessHeaderIsRefused) {
  ServerOptions options;
  options.header_bytes_max = 4096;
  TestServer server(options);
  WireSocket client = server.connect();
  ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nX: " + std::string(8000, 'x')));
  EXPECT_EQ(client.read_answer().status, 400);
  EXPECT_TRUE(client.ends());
}

TEST(ConnectionLimit, OneMoreIsTold503) {
  ServerOptions options;
  options.connections_max = 1;
  TestServer server(options);
  WireSocket first = server.connect();
  ASSERT_TRUE(first.send(get("/")));
  Exchange& exchange = server.next_exchange();
  WireSocket second = server.connect();
  const WireAnswer refusal = second.read_answer();
  EXPECT_EQ(refusal.status, 503);
  EXPECT_TRUE(second.ends());
  server.reply(exchange, 200, "ok");
  EXPECT_EQ(first.read_answer().body, "ok");
}

}  // namespace
}  // namespace hf::net::testing
