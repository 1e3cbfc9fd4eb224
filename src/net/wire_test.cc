#include "net/wire.h"

#include <gmock/gmock.h>

namespace hf::net {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(UpstreamRequest, PassesOnWhatIsTheChildsAndNothingElse) {
  RequestHead head;
  head.method = "POST";
  head.target = "/v1/x?y=%20";
  for (const auto& [name, value] :
       std::vector<std::pair<const char*, const char*>>{{"Host", "public"},
                                                        {"Authorization", "Bearer secret"},
                                                        {"X-API-Key", "secret"},
                                                        {"Cookie", "secret"},
                                                        {"Origin", "http://evil"},
                                                        {"Expect", "100-continue"},
                                                        {"Connection", "keep-alive, X-Named"},
                                                        {"X-Named", "secret"},
                                                        {"Keep-Alive", "timeout=5"},
                                                        {"Transfer-Encoding", "chunked"},
                                                        {"Content-Length", "99"},
                                                        {"Content-Type", "text/plain"},
                                                        {"Accept-Encoding", "gzip"}}) {
    head.headers.push_back(Header{name, value});
  }
  EXPECT_EQ(upstream_request_header(head, 5),
            "POST /v1/x?y=%20 HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n"
            "Content-Type: application/json\r\nContent-Length: 5\r\nConnection: close\r\n\r\n");
}

TEST(UpstreamRequest, ABodyIsJsonWhateverTheClientCallsIt) {
  RequestHead head;
  head.method = "POST";
  head.target = "/";
  EXPECT_THAT(upstream_request_header(head, 2), HasSubstr("Content-Type: application/json\r\n"));
  head.headers.push_back(Header{"content-type", "application/x-www-form-urlencoded"});
  EXPECT_THAT(upstream_request_header(head, 2), Not(HasSubstr("urlencoded")));
}

TEST(UpstreamRequest, AGetWithoutABodyHasNoLength) {
  RequestHead head;
  head.method = "GET";
  head.target = "/";
  EXPECT_THAT(upstream_request_header(head, 0), Not(HasSubstr("Content-")));
}

TEST(UpstreamRequest, MayBeAnotherThanTheClientsAndAskForWhatCanBeRead) {
  RequestHead head;
  head.method = "POST";
  head.target = "/old";
  for (const auto& [name, value] : std::vector<std::pair<const char*, const char*>>{
           {"Content-Type", "text/plain"}, {"Accept-Encoding", "gzip"}, {"User-Agent", "u"}}) {
    head.headers.push_back(Header{name, value});
  }
  UpstreamRequest request;
  request.method = "PUT";
  request.target = "/new?a=b";
  request.content_type = "application/x";
  UpstreamForm form;
  form.request = &request;
  form.plain = true;
  EXPECT_EQ(upstream_request_header(head, 3, form),
            "PUT /new?a=b HTTP/1.1\r\nHost: localhost\r\nUser-Agent: u\r\n"
            "Content-Type: application/x\r\nContent-Length: 3\r\nAccept-Encoding: identity\r\n"
            "Connection: close\r\n\r\n");
}

TEST(StreamHeader, IsChunkedOrEndsWithTheConnection) {
  StreamHead head;
  head.content_type = "text/event-stream";
  head.headers.push_back(Header{"Cache-Control", "no-cache"});
  const std::string begin =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n";
  EXPECT_EQ(stream_header(head, ReplyForm{false, true}),
            begin + "Transfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(stream_header(head, ReplyForm{false, false}),
            begin + "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(stream_header(head, ReplyForm{true, true}), begin + "Connection: close\r\n\r\n");
}

TEST(ReplyHeader, CannotBeSplitByAHeaderValue) {
  Reply reply;
  reply.body = "{}";
  reply.headers.push_back(Header{"x-request-id", "a\r\nSet-Cookie: b"});
  reply.headers.push_back(Header{"Retry-After", "3"});
  const std::string text = reply_header(reply, ReplyForm{false, true});
  EXPECT_THAT(text, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(text, Not(HasSubstr("Set-Cookie")));
  EXPECT_THAT(text, EndsWith("Content-Length: 2\r\nRetry-After: 3\r\n\r\n"));
}

TEST(RelayedHeader, KeepsTheAnswersHeadersAndAddsOurs) {
  RelayedHead head;
  head.status = 201;
  head.reason = "Created";
  for (const char* name : {"Server", "Access-Control-Allow-Origin", "Connection", "Keep-Alive",
                           "Transfer-Encoding", "X-Request-Id", "Content-Type", "X-Kept"}) {
    head.headers.push_back(Header{name, "u"});
  }
  EXPECT_EQ(relayed_header(head, {Header{"x-request-id", "ours"}}, ReplyForm{false, false}),
            "HTTP/1.1 201 Created\r\nContent-Type: u\r\nX-Kept: u\r\nx-request-id: ours\r\n"
            "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
}

TEST(RelayedHeader, KeepsALengthAndHasNoneWithoutABody) {
  RelayedHead head;
  head.length = 7;
  head.framing = BodyFraming::Length;
  EXPECT_THAT(relayed_header(head, {}, ReplyForm{true, true}),
              EndsWith("Content-Length: 7\r\nConnection: keep-alive\r\n\r\n"));
  head.status = 204;
  head.framing = BodyFraming::None;
  EXPECT_THAT(relayed_header(head, {}, ReplyForm{}), Not(HasSubstr("Content-Length")));
}

}  // namespace
}  // namespace hf::net
