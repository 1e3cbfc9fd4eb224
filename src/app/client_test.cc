#include "net/client.h"

#include <gtest/gtest.h>

#include <thread>

#include "net/loop.h"
#include "net/server.h"

namespace hf::net {
namespace {

// Answers with what it was asked.
class Mirror final : public Service {
 public:
  std::optional<Reply> check_head(const RequestHead&) override { return std::nullopt; }
  std::uint64_t body_limit(const RequestHead&) const override { return 1024; }
  std::uint64_t bodies_limit() const override { return 1024 * 1024; }
  Reply too_large(const RequestHead&, std::uint64_t) override { return {}; }
  Reply unfit(Unfit, const RequestHead*, std::string_view) override { return {}; }
  void handle(std::shared_ptr<Exchange> exchange) override {
    Reply reply;
    reply.status = 202;
    const RequestHead& head = exchange->head();
    reply.body = head.method + " " + head.target + " " + head.path + " " +
                 std::string(head.header("authorization")) + " " + std::string(exchange->body());
    reply.headers.push_back(Header{"X-Seen", "yes"});
    exchange->reply(std::move(reply));
  }
};

class ClientTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(server_.start());
    request_.host = "127.0.0.1";
    request_.port = server_.ports().front();
    thread_ = std::thread([this] { loop_.run(); });
  }
  void TearDown() override {
    loop_.after(Duration::zero(), [this] {
      server_.stop_accepting();
      server_.close_all();
    });
    thread_.join();
  }

  static ServerOptions options() {
    ServerOptions result;
    result.listen.push_back(ListenAddress{"127.0.0.1", 0});
    return result;
  }

  Mirror mirror_;
  Loop loop_;
  Server server_{loop_.context(), mirror_, options()};
  ClientRequest request_;
  std::thread thread_;
};

TEST_F(ClientTest, SendsAndReceives) {
  request_.method = "POST";
  request_.target = "/api/v1/models/" + percent_encode("org/name:7b") + "/load";
  request_.headers.push_back(Header{"Authorization", "Bearer key"});
  request_.body = "{}";
  request_.answer_within = std::chrono::seconds(30);
  const Result<ClientResponse> response = fetch(request_);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 202);
  EXPECT_EQ(response->header("x-seen"), "yes");
  EXPECT_EQ(
      response->body,
      "POST /api/v1/models/org%2Fname%3A7b/load /api/v1/models/org/name:7b/load Bearer key {}");
}

TEST(Client, NobodyListensIsUnavailable) {
  ClientRequest request;
  request.host = "127.0.0.1";
  {
    // A port that was free a moment ago.
    Mirror mirror;
    Loop loop;
    ServerOptions options;
    options.listen.push_back(ListenAddress{"127.0.0.1", 0});
    Server server(loop.context(), mirror, options);
    ASSERT_TRUE(server.start());
    request.port = server.ports().front();
    server.stop_accepting();
    server.close_all();
    loop.run();
  }
  const Result<ClientResponse> response = fetch(request);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Errc::Unavailable);
  EXPECT_NE(response.error().message.find("127.0.0.1:" + std::to_string(request.port)),
            std::string::npos);
}

TEST(PercentEncode, KeepsOnlyUnreservedCharacters) {
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("org/name:7b q4+%"), "org%2Fname%3A7b%20q4%2B%25");
  EXPECT_EQ(percent_encode("ж"), "%D0%B6");
}

}  // namespace
}  // namespace hf::net
