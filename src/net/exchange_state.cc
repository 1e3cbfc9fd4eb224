#include "net/exchange_state.h"

#include "base/assert.h"
#include "net/request_id.h"

namespace hf::net {

ExchangeState::ExchangeState(const asio::any_io_executor& executor, RequestHead head,
                             BodyBuffer body)
    : head_(std::move(head)), body_(std::move(body)), ordered_(executor), abort_(executor) {}

void ExchangeState::reply(Reply reply) {
  if (phase_ == Phase::Ended) {
    return;  // the client left in the meantime
  }
  HF_ASSERT(phase_ == Phase::Waiting, "a reply although an answer was ordered already");
  phase_ = Phase::Ordered;
  reply_ = std::move(reply);
  ordered_.raise();
}

void ExchangeState::relay(RelayPlan plan) {
  HF_ASSERT(phase_ == Phase::Waiting || phase_ == Phase::Ended,
            "a relay although an answer was ordered already");
  if (phase_ == Phase::Ended) {
    // The client left between its on_disconnect and this call: on_done must come all the same, and
    // later than this call.
    asio::post(ordered_.executor(), [done = std::move(plan.on_done)] {
      if (done) {
        RelayResult result;
        result.end = RelayEnd::ClientGone;
        done(result);
      }
    });
    return;
  }
  phase_ = Phase::Ordered;
  plan_ = std::move(plan);
  abort_.lower();
  ordered_.raise();
}

void ExchangeState::abort_relay() {
  if (phase_ == Phase::Relaying || plan_.has_value()) {
    abort_.raise();
  }
}

void ExchangeState::on_disconnect(std::function<void()> callback) {
  if (phase_ != Phase::Ended) {
    on_disconnect_ = std::move(callback);
  }
}

void ExchangeState::drop_handle() {
  handle_dropped_ = true;
  answer_if_dropped();
}

void ExchangeState::answer_if_dropped() {
  if (!handle_dropped_ || phase_ != Phase::Waiting) {
    return;
  }
  Reply reply;
  reply.status = 500;
  reply.body = R"({"error":{"message":"the request was not answered","type":"internal_error"}})";
  reply.headers.push_back(Header{"x-request-id", request_id_of(head_)});
  this->reply(std::move(reply));
}

std::optional<Reply> ExchangeState::take_reply() {
  if (!reply_) {
    return std::nullopt;
  }
  phase_ = Phase::Ended;
  // Moved out before it is destroyed: its captures may hold the last handle.
  const std::function<void()> unused = std::move(on_disconnect_);
  on_disconnect_ = nullptr;
  std::optional<Reply> taken = std::move(reply_);
  reply_.reset();
  return taken;
}

std::optional<RelayPlan> ExchangeState::take_plan() {
  if (!plan_) {
    return std::nullopt;
  }
  phase_ = Phase::Relaying;
  ordered_.lower();
  std::optional<RelayPlan> taken = std::move(plan_);
  plan_.reset();
  return taken;
}

void ExchangeState::end_relay(bool answered) {
  HF_ASSERT(phase_ == Phase::Relaying, "the end of a relay that does not run");
  phase_ = answered ? Phase::Ended : Phase::Waiting;
  abort_.lower();
  if (answered) {
    const std::function<void()> unused = std::move(on_disconnect_);
    on_disconnect_ = nullptr;
  }
}

void ExchangeState::end_by_client() {
  if (phase_ == Phase::Ended) {
    return;
  }
  phase_ = Phase::Ended;
  reply_.reset();
  const std::optional<RelayPlan> plan = std::move(plan_);
  plan_.reset();
  const std::function<void()> gone = std::move(on_disconnect_);
  on_disconnect_ = nullptr;
  if (plan) {
    if (plan->on_done) {
      RelayResult result;
      result.end = RelayEnd::ClientGone;
      plan->on_done(result);
    }
  } else if (gone) {
    gone();
  }
}

namespace {

class Handle final : public Exchange {
 public:
  explicit Handle(std::shared_ptr<ExchangeState> state) : state_(std::move(state)) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() override { state_->drop_handle(); }

  const RequestHead& head() const override { return state_->head(); }
  std::string_view body() const override { return state_->body(); }
  void reply(Reply reply) override { state_->reply(std::move(reply)); }
  void relay(RelayPlan plan) override { state_->relay(std::move(plan)); }
  void start_stream(StreamHead) override { HF_ASSERT(false, "not there yet"); }
  bool stream_started() const override { return false; }
  void write(std::string) override { HF_ASSERT(false, "not there yet"); }
  void break_stream(std::string) override { HF_ASSERT(false, "not there yet"); }
  void abort_relay() override { state_->abort_relay(); }
  void on_disconnect(std::function<void()> callback) override {
    state_->on_disconnect(std::move(callback));
  }

 private:
  std::shared_ptr<ExchangeState> state_;
};

}  // namespace

std::shared_ptr<Exchange> make_exchange(std::shared_ptr<ExchangeState> state) {
  return std::make_shared<Handle>(std::move(state));
}

}  // namespace hf::net
