#include "api/heartbeat.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <deque>
#include <utility>
#include <vector>

namespace hf::api {
namespace {

namespace json = boost::json;

class FakeExchange final : public net::Exchange {
 public:
  const net::RequestHead& head() const override { return head_; }
  std::string_view body() const override { return {}; }
  void reply(net::Reply) override {}
  void relay(net::RelayPlan) override {}
  void start_stream(net::StreamHead head) override { started_with.push_back(std::move(head)); }
  bool stream_started() const override { return !started_with.empty(); }
  void write(std::string piece) override { written.push_back(std::move(piece)); }
  void end_stream(std::string) override {}
  void break_stream(std::string) override {}
  void abort_relay() override {}
  void on_disconnect(std::function<void()>) override {}

  std::vector<net::StreamHead> started_with;
  std::vector<std::string> written;

 private:
  net::RequestHead head_;
};

class HeartbeatsTest : public testing::Test {
 protected:
  HeartbeatsTest() {
    Heartbeats::Source source;
    source.head = [] { return net::StreamHead{"text/event-stream", {}}; };
    source.text = [this] { return "beat " + std::to_string(++texts_); };
    const After after = [this](Duration delay, std::function<void()> action) {
      timers_.emplace_back(now_ + delay, std::move(action));
    };
    beats_ = std::make_shared<Heartbeats>(after, exchange_, std::move(source));
  }

  void pass(Duration duration) {
    const Duration end = now_ + duration;
    while (!timers_.empty() && timers_.front().first <= end) {
      const auto [at, action] = std::move(timers_.front());
      timers_.pop_front();
      now_ = at;
      action();
    }
    now_ = end;
  }

  std::shared_ptr<FakeExchange> exchange_ = std::make_shared<FakeExchange>();
  std::shared_ptr<Heartbeats> beats_;
  std::deque<std::pair<Duration, std::function<void()>>> timers_;
  Duration now_{};
  int texts_ = 0;
};

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(HeartbeatsTest, AWaitWithinASecondIsSilent) {
  beats_->start();
  pass(milliseconds(999));
  EXPECT_FALSE(exchange_->stream_started());
  beats_->stop();
  pass(seconds(60));
  EXPECT_FALSE(exchange_->stream_started());
  EXPECT_TRUE(exchange_->written.empty());
}

TEST_F(HeartbeatsTest, AWaitIsHeardEveryTwoSecondsInOneStream) {
  beats_->start();
  pass(seconds(1));
  EXPECT_EQ(exchange_->started_with.size(), 1U);
  EXPECT_EQ(exchange_->written, (std::vector<std::string>{"beat 1"}));
  pass(seconds(4));
  EXPECT_EQ(exchange_->written.size(), 3U);
  EXPECT_EQ(exchange_->started_with.size(), 1U);
}

TEST_F(HeartbeatsTest, APromptThatIsReadIsHeardEveryTenSeconds) {
  beats_->start();
  beats_->set_waiting(false);
  pass(seconds(8));
  EXPECT_FALSE(exchange_->stream_started());
  pass(seconds(1));
  EXPECT_EQ(exchange_->written.size(), 1U);
  pass(seconds(20));
  EXPECT_EQ(exchange_->written.size(), 3U);
  beats_->set_waiting(true);
  pass(seconds(2));
  EXPECT_EQ(exchange_->written.size(), 4U);
}

TEST_F(HeartbeatsTest, TheirEndIsTheirOwners) {
  beats_->start();
  beats_.reset();
  pass(seconds(60));
  EXPECT_FALSE(exchange_->stream_started());
}

engine::WaitNow wait() {
  engine::WaitNow wait;
  wait.promise.ticket.position = 2;
  wait.promise.ticket.place = 3;
  wait.promise.ticket.waited = milliseconds(1500);
  wait.promise.ticket.eta = seconds(4);
  wait.promise.waiting_for = core::WaitingFor::Turn;
  return wait;
}

TEST(Progress, TellsHowItStands) {
  EXPECT_EQ(progress_object(wait()),
            json::parse(R"({"state": "queued", "position": 2, "place": 3, "waited_s": 1.5,
                            "eta_s": 4.0, "bound_s": null, "waiting_for": "turn"})"));
  engine::WaitNow loading = wait();
  loading.load_progress = 0.4249;
  EXPECT_EQ(progress_object(loading).at("state"), "loading");
  EXPECT_EQ(progress_object(loading).at("load_progress"), 0.42);
  EXPECT_EQ(progress_object(std::nullopt), json::parse(R"({"state": "processing"})"));
}

TEST(Heartbeat, IsACommentThatNamesTheProgress) {
  const std::string text = event_stream_heartbeat({{"state", "queued"}}, Dialect::OpenAi);
  EXPECT_EQ(text, ": holdfast {\"state\":\"queued\"}\n\n");
}

TEST(Heartbeat, IsAPingForAnthropic) {
  const std::string text = event_stream_heartbeat({{"state", "queued"}}, Dialect::Anthropic);
  EXPECT_EQ(text, ": holdfast {\"state\":\"queued\"}\nevent: ping\ndata: {\"type\": \"ping\"}\n\n");
}

TEST(Heartbeat, IsSwitchedOffByAHeader) {
  net::RequestHead head;
  EXPECT_TRUE(wants_heartbeats(head));
  for (const char* off : {"off", "OFF", "0", "no", "false"}) {
    head.headers = {{"X-Holdfast-Heartbeat", off}};
    EXPECT_FALSE(wants_heartbeats(head)) << off;
  }
  head.headers = {{"x-holdfast-heartbeat", "on"}};
  EXPECT_TRUE(wants_heartbeats(head));
}

}  // namespace
}  // namespace hf::api
