#pragma once
// What the session and the service share about one request: the request itself and the order the
// service gave last (reply, relay, or the end of a stream). The service holds it through a handle;
// dropping the last handle without an answer is answered for it, so that a bug in a handler is a
// 500 and never a client that waits for ever. Loop thread; neither part may outlive the io_context.

#include <memory>
#include <optional>

#include "net/body_buffer.h"
#include "net/early_stream.h"
#include "net/exchange.h"
#include "net/signal.h"

namespace hf::net {

class ExchangeState {
 public:
  // `form`: how the request wants to be answered.
  ExchangeState(const asio::any_io_executor& executor, RequestHead head, BodyBuffer body,
                ReplyForm form);

  const RequestHead& head() const { return head_; }
  std::string_view body() const { return body_.view(); }

  // The service's side, see Exchange.
  void reply(Reply reply);
  void relay(RelayPlan plan);
  void start_stream(const StreamHead& head);
  [[nodiscard]] bool stream_started() const { return early_.started(); }
  void write(std::string_view piece);
  void end_stream(StreamEnd end);
  void abort_relay();
  void on_disconnect(std::function<void()> callback);
  void drop_handle();

  // The session's side. Raised when an order is there.
  Signal& ordered() { return ordered_; }
  // Raised when a relay shall end.
  Signal& abort() { return abort_; }
  // The answer that began before its content; nothing in it when none did.
  EarlyStream& early() { return early_; }
  [[nodiscard]] const EarlyStream& early() const { return early_; }
  [[nodiscard]] bool has_order() const {
    return reply_.has_value() || plan_.has_value() || stream_end_.has_value();
  }
  std::optional<Reply> take_reply();
  // Of a stream that is to end.
  std::optional<StreamEnd> take_stream_end();
  std::optional<RelayPlan> take_plan();
  // The relay is over. `answered`: something was sent, or nobody is there to get an answer.
  void end_relay(bool answered);
  // After on_done ran: nothing holds a handle any more and no order came.
  void answer_if_dropped();
  // The client is gone. Calls on_disconnect (or the on_done of a relay that did not begin).
  void end_by_client();

 private:
  enum class Phase { Waiting, Ordered, Relaying, Ended };

  // No callback is needed any more.
  void end();

  RequestHead head_;
  BodyBuffer body_;
  Signal ordered_;
  Signal abort_;
  EarlyStream early_;
  Phase phase_ = Phase::Waiting;
  bool handle_dropped_ = false;
  std::optional<Reply> reply_;
  std::optional<RelayPlan> plan_;
  std::optional<StreamEnd> stream_end_;
  std::function<void()> on_disconnect_;
};

// The Exchange that a Service gets.
std::shared_ptr<Exchange> make_exchange(std::shared_ptr<ExchangeState> state);

}  // namespace hf::net
