#include "net/session.h"

#include <exception>

#include "net/ends_well.h"
#include "net/relay.h"
#include "net/request_reader.h"
#include "net/wire.h"

namespace hf::net {
namespace {

constexpr std::chrono::seconds kReplyProgress{30};  // a reply to somebody who reads nothing
constexpr char kTlsHandshake = 0x16;  // the first byte of a TLS connection, and of no HTTP request
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// What to say about a body that did not arrive as it should; nothing: there is nobody to tell.
std::optional<Reply> body_refusal(Service& service, RequestReader& reader, ReadEnd end,
                                  std::uint64_t limit) {
  const RequestHead& head = reader.head();
  switch (end) {
    case ReadEnd::TooLarge:
      return service.too_large(head, limit);
    case ReadEnd::Malformed:
      return service.unfit(Unfit::NotHttp, &head, reader.why());
    case ReadEnd::Stalled:
      return service.unfit(Unfit::BodyStalled, &head, {});
    case ReadEnd::NoRoom:
      return service.unfit(Unfit::TooManyBodies, &head, {});
    case ReadEnd::OutOfMemory:
      return service.unfit(Unfit::NoMemory, &head, {});
    case ReadEnd::Complete:
    case ReadEnd::Closed:
      break;
  }
  return std::nullopt;
}

}  // namespace

Task<void> Session::run(std::shared_ptr<Session> self) {
  Next next = Next::KeepAlive;
  try {
    if (self->host_.tls != nullptr) {
      next = co_await self->secure(self->host_.tls);
    }
    while (next == Next::KeepAlive) {
      next = co_await self->serve_one();
    }
  } catch (const std::exception&) {
    next = Next::Drop;  // out of memory, in practice; this connection alone pays for it
  }
  if (self->exchange_ != nullptr) {
    self->exchange_->end_by_client();
    self->exchange_.reset();
  }
  if (next == Next::Linger) {
    co_await self->client_.linger();
  } else if (next == Next::Reset) {
    self->client_.reset();
  } else {
    self->client_.close();
  }
}

Task<void> Session::refuse(std::shared_ptr<Session> self) {
  if (self->host_.tls != nullptr) {
    // Agreeing on a key only to say no would cost more than a request.
    self->client_.reset();
    co_return;
  }
  Reply reply = self->host_.service.unfit(Unfit::TooManyConnections, nullptr, {});
  const Next next = co_await self->send(std::move(reply), false, false, false);
  if (next == Next::Linger) {
    co_await self->client_.linger();
  }
  self->client_.close();
}

void Session::stop_if_idle() {
  if (idle_) {
    client_.cancel();
  }
}

void Session::cut() {
  client_.close();
}

// A silent client holds a place no longer than one that sends half a header.
Task<Session::Next> Session::secure(std::shared_ptr<const TlsContext> tls) {
  char first = 0;
  idle_ = true;
  client_.set_deadline(host_.options.header_deadline);
  error_code ec = co_await client_.peek_first(first);
  if (!ec && first == kTlsHandshake) {
    ec = co_await client_.start_tls(std::move(tls));
  } else if (!ec && !(host_.options.plain_on_loopback && client_.is_local())) {
    idle_ = false;
    co_return co_await refuse_plain();
  }
  client_.clear_deadline();
  idle_ = false;
  co_return ec ? Next::Drop : Next::KeepAlive;
}

Task<Session::Next> Session::refuse_plain() {
  Reply reply = host_.service.unfit(Unfit::NotHttp, nullptr,
                                    "this port speaks HTTPS: use https:// in the address");
  co_return co_await send(std::move(reply), false, false, false);
}

Task<bool> Session::wait_for_request() {
  if (!client_.input().empty()) {
    co_return true;
  }
  if (host_.stopping) {
    co_return false;
  }
  idle_ = true;
  client_.set_deadline(host_.options.idle_deadline);
  const error_code ec = co_await client_.wait_input();
  client_.clear_deadline();
  idle_ = false;
  co_return !ec;
}

Task<Session::Next> Session::serve_one() {
  const bool requested = co_await wait_for_request();
  if (!requested) {
    client_.say_goodbye();
    co_return Next::Drop;
  }
  RequestReader reader(client_, host_.options, host_.bodies);
  const ReadEnd end = co_await reader.read_head();
  if (end == ReadEnd::Malformed) {
    Reply reply = host_.service.unfit(Unfit::NotHttp, nullptr, reader.why());
    co_return co_await send(std::move(reply), false, false, false);
  }
  if (end != ReadEnd::Complete) {
    co_return Next::Drop;
  }
  co_return co_await read_and_answer(reader);
}

Task<Session::Next> Session::read_and_answer(RequestReader& reader) {
  const RequestHead& head = reader.head();
  const Framing framing = reader.framing();
  const bool is_head = head.method == "HEAD";
  if (std::optional<Reply> refusal = host_.service.check_head(head)) {
    const bool keep = framing.keep_alive && !framing.has_body();
    co_return co_await send(std::move(*refusal), is_head, framing.http10, keep);
  }
  const std::uint64_t limit = host_.service.body_limit(head);
  ReadEnd end = framing.length > limit ? ReadEnd::TooLarge : ReadEnd::Complete;
  host_.bodies->set_limit(host_.service.bodies_limit());
  if (end == ReadEnd::Complete && !host_.bodies->has_room_for(framing.length)) {
    end = ReadEnd::NoRoom;  // also so that nobody is told to send it
  }
  if (end == ReadEnd::Complete) {
    const bool told = co_await say_continue(framing);
    if (!told) {
      co_return Next::Drop;
    }
    end = co_await reader.read_body(limit);
  }
  if (std::optional<Reply> refusal = body_refusal(host_.service, reader, end, limit)) {
    co_return co_await send(std::move(*refusal), is_head, framing.http10, false);
  }
  if (end != ReadEnd::Complete) {
    co_return Next::Drop;
  }
  ReplyForm form;
  form.http10 = framing.http10;
  form.keep_alive = framing.keep_alive && !host_.stopping;
  exchange_ = std::make_shared<ExchangeState>(client_.executor(), std::move(reader.head()),
                                              std::move(reader.body()), form);
  std::shared_ptr<ExchangeState> exchange = exchange_;
  host_.service.handle(make_exchange(exchange));
  const Next next = co_await answer(std::move(exchange), framing);
  exchange_.reset();
  co_return next;
}

// Only to somebody who waits for it: who has begun to send needs no leave.
Task<bool> Session::say_continue(const Framing& framing) {
  if (!framing.expects_continue || !framing.has_body() || !client_.input().empty()) {
    co_return true;
  }
  const error_code ec = co_await client_.write_within(kContinue, kReplyProgress);
  co_return !ec;
}

Task<Session::Next> Session::answer(std::shared_ptr<ExchangeState> exchange, Framing framing) {
  using namespace asio::experimental::awaitable_operators;  // NOLINT: the only way to get them
  const bool is_head = exchange->head().method == "HEAD";
  for (;;) {
    if (!exchange->has_order()) {
      co_await (ends_well(client_.watch()) || exchange->ordered().wait() ||
                ends_well(exchange->early().pump(client_, nullptr)));
    }
    if (std::optional<Reply> reply = exchange->take_reply()) {
      co_return co_await send(std::move(*reply), is_head, framing.http10, framing.keep_alive);
    }
    if (const std::optional<StreamEnd> end = exchange->take_stream_end()) {
      co_return co_await end_stream(exchange, *end, framing.keep_alive && !host_.stopping);
    }
    if (!exchange->has_order()) {
      exchange->end_by_client();
      co_return Next::Drop;
    }
    const std::optional<Next> next = co_await relay(exchange, framing);
    if (next) {
      co_return *next;
    }
  }
}

// Unless the answer is whole, the connection ends behind the last words, in a way in which no whole
// answer ends.
Task<Session::Next> Session::end_stream(std::shared_ptr<ExchangeState> exchange,
                                        const StreamEnd& end, bool keep) {
  const bool left = co_await exchange->early().end(client_, end);
  const bool closes = exchange->early().framing() == BodyFraming::Close;
  if (end.whole && left) {
    co_return keep && !closes ? Next::KeepAlive : Next::Linger;
  }
  client_.withhold_goodbye();
  co_return closes ? Next::Reset : Next::Linger;
}

// Nothing: the exchange still needs an answer.
Task<std::optional<Session::Next>> Session::relay(std::shared_ptr<ExchangeState> exchange,
                                                  Framing framing) {
  const std::optional<RelayPlan> plan = exchange->take_plan();
  const bool keep = framing.keep_alive && !host_.stopping;
  Relay relay(client_, *exchange, framing, *plan, keep);
  const RelayResult result = co_await relay.run();
  const bool gone = result.end == RelayEnd::ClientGone;
  const bool answered = result.response_started || gone;
  exchange->end_relay(answered);
  if (plan->on_done) {
    plan->on_done(result);
  }
  if (!answered) {
    co_return std::nullopt;
  }
  if (relay.reusable()) {
    co_return Next::KeepAlive;
  }
  if (gone) {
    co_return Next::Drop;
  }
  if (result.end != RelayEnd::Complete) {
    client_.withhold_goodbye();
  }
  co_return relay.must_reset() ? Next::Reset : Next::Linger;
}

Task<Session::Next> Session::send(Reply reply, bool without_body, bool http10, bool keep) {
  ReplyForm form;
  form.http10 = http10;
  form.keep_alive = keep && !reply.close && !host_.stopping;
  std::string text = reply_header(reply, form);
  if (!without_body && !status_forbids_body(reply.status)) {
    text += reply.body;
  }
  const error_code ec = co_await client_.write_within(text, kReplyProgress);
  if (ec) {
    co_return Next::Drop;
  }
  co_return form.keep_alive ? Next::KeepAlive : Next::Linger;
}

}  // namespace hf::net
