#include "api/headed_exchange.h"

#include <gtest/gtest.h>

#include <utility>

namespace hf::api {
namespace {

// Keeps what it was told.
class Recorder final : public net::Exchange {
 public:
  const net::RequestHead& head() const override { return head_; }
  std::string_view body() const override { return "body"; }
  void reply(net::Reply reply) override { told = std::move(reply.headers); }
  void relay(net::RelayPlan plan) override { told = std::move(plan.response_headers); }
  void start_stream(net::StreamHead head) override { told = std::move(head.headers); }
  [[nodiscard]] bool stream_started() const override { return true; }
  void write(std::string piece) override { calls += "write " + piece + ";"; }
  void end_stream(std::string piece) override { calls += "end " + piece + ";"; }
  void break_stream(std::string words) override { calls += "break " + words + ";"; }
  void abort_relay() override { calls += "abort;"; }
  void on_disconnect(std::function<void()> callback) override { callback(); }

  std::vector<net::Header> told;
  std::string calls;

 private:
  net::RequestHead head_;
};

std::string text(const std::vector<net::Header>& headers) {
  std::string result;
  for (const net::Header& each : headers) {
    result += each.name + "=" + each.value + ";";
  }
  return result;
}

TEST(HeadedExchange, AddsToEachKindOfAnswer) {
  const auto inner = std::make_shared<Recorder>();
  const auto exchange = with_headers(inner, {{"Vary", "Origin"}});
  net::Reply reply;
  reply.headers = {{"a", "1"}};
  exchange->reply(std::move(reply));
  EXPECT_EQ(text(inner->told), "a=1;Vary=Origin;");
  net::RelayPlan plan;
  plan.response_headers = {{"b", "2"}};
  exchange->relay(std::move(plan));
  EXPECT_EQ(text(inner->told), "b=2;Vary=Origin;");
  exchange->start_stream({"text/event-stream", {{"c", "3"}}});
  EXPECT_EQ(text(inner->told), "c=3;Vary=Origin;");
}

TEST(HeadedExchange, IsTheOneItStandsForInEverythingElse) {
  const auto inner = std::make_shared<Recorder>();
  const auto exchange = with_headers(inner, {{"Vary", "Origin"}});
  EXPECT_EQ(&exchange->head(), &inner->head());
  EXPECT_EQ(exchange->body(), "body");
  EXPECT_TRUE(exchange->stream_started());
  bool told = false;
  exchange->on_disconnect([&told] { told = true; });
  EXPECT_TRUE(told);
  exchange->write("x");
  exchange->end_stream("z");
  exchange->break_stream("y");
  exchange->abort_relay();
  EXPECT_EQ(inner->calls, "write x;end z;break y;abort;");
}

TEST(HeadedExchange, IsNotThereForNothing) {
  const auto inner = std::make_shared<Recorder>();
  EXPECT_EQ(with_headers(inner, {}), inner);
}

}  // namespace
}  // namespace hf::api
