#pragma once
// What the tests of answers that begin before their content share: a request that waits and whose
// answer has begun.

#include <gmock/gmock.h>

#include "net/testing/harness.h"

namespace hf::net::testing {

inline constexpr const char* kEvents = "text/event-stream";
inline constexpr std::string_view kUpstreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    "X-Upstream: yes\r\nTransfer-Encoding: chunked\r\n\r\n";
inline constexpr std::string_view kEnd = "0\r\n\r\n";
inline constexpr std::size_t kMegabyte = 1024 * 1024;

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
    EXPECT_THAT(client_.read_until("\r\n\r\n"),
                ::testing::HasSubstr("Content-Type: text/event-stream\r\n"));
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

}  // namespace hf::net::testing
