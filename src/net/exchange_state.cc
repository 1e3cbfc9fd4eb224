#include "net/exchange_state.h"

#include "base/assert.h"
#include "net/media_type.h"
#include "net/request_id.h"

namespace hf::net {

ExchangeState::ExchangeState(const asio::any_io_executor& executor, RequestHead head,
                             BodyBuffer body, ReplyForm form)
    : head_(std::move(head)),
      body_(std::move(body)),
      ordered_(executor),
      abort_(executor),
      early_(executor, form) {}

void ExchangeState::reply(Reply reply) {
  if (phase_ == Phase::Ended) {
    return;  // the client left in the meantime
  }
  HF_ASSERT(phase_ == Phase::Waiting, "a reply although an answer was ordered already");
  HF_ASSERT(!early_.started(), "a reply behind a stream that began");
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

void ExchangeState::start_stream(const StreamHead& head) {
  const bool is_answered = phase_ == Phase::Ended || reply_.has_value() || early_.closed();
  if (!is_answered && head_.method != "HEAD") {
    early_.start(head);
  }
}

void ExchangeState::write(std::string_view piece) {
  if (phase_ != Phase::Ended) {
    early_.offer(piece);
  }
}

void ExchangeState::end_stream(StreamEnd end) {
  if (phase_ == Phase::Ended) {
    return;
  }
  HF_ASSERT(phase_ == Phase::Waiting && early_.started(), "no stream waits for its end");
  phase_ = Phase::Ordered;
  stream_end_ = std::move(end);
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
  std::string text(
      R"({"error":{"message":"the request was not answered","type":"internal_error"}})");
  if (early_.started()) {
    StreamEnd end;
    end.text = is_event_stream(early_.content_type()) ? "data: " + text + "\n\n" : text + "\n";
    return end_stream(std::move(end));
  }
  Reply reply;
  reply.status = 500;
  reply.body = std::move(text);
  reply.headers.push_back(Header{"x-request-id", request_id_of(head_)});
  this->reply(std::move(reply));
}

std::optional<Reply> ExchangeState::take_reply() {
  if (!reply_) {
    return std::nullopt;
  }
  end();
  std::optional<Reply> taken = std::move(reply_);
  reply_.reset();
  return taken;
}

std::optional<StreamEnd> ExchangeState::take_stream_end() {
  if (!stream_end_) {
    return std::nullopt;
  }
  end();
  std::optional<StreamEnd> taken = std::move(stream_end_);
  stream_end_.reset();
  return taken;
}

void ExchangeState::end() {
  phase_ = Phase::Ended;
  // Moved out before it is destroyed: its captures may hold the last handle.
  const std::function<void()> unused = std::move(on_disconnect_);
  on_disconnect_ = nullptr;
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
  phase_ = Phase::Waiting;
  abort_.lower();
  if (answered) {
    end();
  }
}

void ExchangeState::end_by_client() {
  if (phase_ == Phase::Ended) {
    return;
  }
  phase_ = Phase::Ended;
  reply_.reset();
  stream_end_.reset();
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
  void start_stream(StreamHead head) override { state_->start_stream(head); }
  bool stream_started() const override { return state_->stream_started(); }
  void write(std::string piece) override { state_->write(piece); }
  void end_stream(std::string last_piece) override {
    state_->end_stream({std::move(last_piece), true});
  }
  void break_stream(std::string last_words) override {
    state_->end_stream({std::move(last_words), false});
  }
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
