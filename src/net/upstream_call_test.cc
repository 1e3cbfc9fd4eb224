#include "net/upstream_call.h"

#include <gmock/gmock.h>

#include <boost/asio/io_context.hpp>
#include <optional>
#include <thread>

#include "net/testing/wire_socket.h"

namespace hf::net::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class UpstreamCalls : public ::testing::Test {
 protected:
  // `peer` plays the upstream on a thread of its own.
  template <class Peer>
  Result<UpstreamAnswer> call(UpstreamCall call, const Peer& peer) {
    std::optional<Result<UpstreamAnswer>> answer;
    std::thread other([&] { peer(upstream_); });
    boost::asio::io_context io;
    call_upstream(io, std::move(call), [&](Result<UpstreamAnswer> got) {
      EXPECT_FALSE(answer.has_value()) << "called twice";
      answer = std::move(got);
    });
    EXPECT_FALSE(answer.has_value()) << "called from inside";
    io.run();
    other.join();
    return answer ? std::move(*answer) : fail(Errc::Internal, "never called");
  }
  UpstreamCall to_path() const {
    UpstreamCall call;
    call.socket_path = upstream_.path();
    call.target = "/tokenize";
    call.body = "{\"content\":\"x\"}";
    return call;
  }

  FakeUpstream upstream_;
};

TEST_F(UpstreamCalls, TheWholeAnswerComesBack) {
  std::string request;
  const auto answer = call(to_path(), [&](FakeUpstream& upstream) {
    WireSocket child = upstream.accept();
    request = FakeUpstream::read_request(child);
    child.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    child.send("2\r\nde\r\n0\r\n\r\n");
  });
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "abcde");
  EXPECT_THAT(request, StartsWith("POST /tokenize HTTP/1.1\r\nHost: localhost\r\n"));
  EXPECT_THAT(request, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(request, EndsWith("\r\n\r\n{\"content\":\"x\"}"));
}

TEST_F(UpstreamCalls, AnErrorStatusIsAnAnswer) {
  const auto answer = call(to_path(), [](FakeUpstream& upstream) {
    WireSocket child = upstream.accept();
    FakeUpstream::read_request(child);
    child.send("HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno");
  });
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500);
  EXPECT_EQ(answer->body, "no");
}

TEST_F(UpstreamCalls, NobodyThere) {
  upstream_.stop();
  const auto answer = call(to_path(), [](FakeUpstream&) {});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::Unavailable);
}

TEST_F(UpstreamCalls, ACutAnswerIsNone) {
  const auto answer = call(to_path(), [](FakeUpstream& upstream) {
    WireSocket child = upstream.accept();
    FakeUpstream::read_request(child);
    child.send("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nabc");
  });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::Io);
}

TEST_F(UpstreamCalls, TooMuchIsNone) {
  UpstreamCall small = to_path();
  small.answer_bytes_max = 10;
  const auto answer = call(std::move(small), [](FakeUpstream& upstream) {
    WireSocket child = upstream.accept();
    FakeUpstream::read_request(child);
    child.send("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n01234567890123456789");
  });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::Io);
}

TEST_F(UpstreamCalls, SilenceIsBounded) {
  UpstreamCall hasty = to_path();
  hasty.within = std::chrono::milliseconds(50);
  const auto answer = call(std::move(hasty), [](FakeUpstream& upstream) {
    WireSocket child = upstream.accept();
    FakeUpstream::read_request(child);
    EXPECT_TRUE(child.ends());
  });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::Timeout);
}

}  // namespace
}  // namespace hf::net::testing
