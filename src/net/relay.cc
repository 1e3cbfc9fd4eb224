#include "net/relay.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/assert.h"
#include "net/alarm.h"
#include "net/chunk.h"
#include "net/ends_well.h"
#include "net/upgrade_relay.h"

namespace hf::net {
namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;
constexpr std::size_t kInputBytesMax = 64 * 1024;
constexpr std::size_t kErrorBytesMax = 64 * 1024;  // an error's text; nothing honest is longer
// A body that ends with the connection cannot be told from a cut one. Its end waits that long for
// the news of the child's death (abort_relay); the kernel closes a dying process's sockets
// milliseconds before its pidfd reports it.
constexpr std::chrono::milliseconds kCloseGrace{100};
constexpr std::chrono::seconds kRetryAfterMax{3600};  // nobody plans further ahead than that

std::string_view request_body(const RelayPlan& plan, const ExchangeState& exchange) {
  return plan.request && plan.request->body ? std::string_view(*plan.request->body)
                                            : exchange.body();
}

// Whether what the upstream may answer is read, changed or put behind another head by us.
bool must_be_plain(const RelayPlan& plan, const ExchangeState& exchange) {
  return plan.translator != nullptr || plan.collect_errors || exchange.early().started();
}

// Of a Retry-After; zero if it is not a number of seconds.
std::chrono::seconds retry_after_of(beast::string_view text) {
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), seconds);
  if (error == std::errc::invalid_argument || end != text.end()) {
    return std::chrono::seconds(0);
  }
  return error == std::errc{} ? std::min(std::chrono::seconds(seconds), kRetryAfterMax)
                              : kRetryAfterMax;
}

}  // namespace

Relay::Relay(ClientConnection& client, ExchangeState& exchange, Framing request,
             const RelayPlan& plan, bool keep_alive)
    : client_(client),
      exchange_(exchange),
      request_(request),
      plan_(plan),
      keep_alive_(keep_alive),
      upgrade_(plan.upgrade && !request.http10),
      upstream_(client.executor()) {
  HF_ASSERT(!upgrade_ || (wants_upgrade(exchange.head()) && plan.translator == nullptr &&
                          !exchange.early().started()),
            "an upgrade that the client does not ask for, or of an answer of ours");
  stall_.emplace(client.executor(), plan.on_stall);
}

Task<RelayResult> Relay::run() {
  using namespace asio::experimental::awaitable_operators;  // NOLINT: the only way to get them
  if (!exchange_.abort().raised()) {
    co_await (ends_well(client_.watch()) || exchange_.abort().wait() || guard(transfer()) ||
              ends_well(exchange_.early().pump(client_, &*stall_)));
  }
  if (switched_ && !exchange_.abort().raised()) {
    co_await talk();
  }
  stall_.reset();
  error_code ignored;
  upstream_.close(ignored);
  if (end_) {
    result_.end = *end_;
  } else {
    result_.end = exchange_.abort().raised() ? RelayEnd::Aborted : RelayEnd::ClientGone;
  }
  const bool broken = result_.end == RelayEnd::UpstreamBroken || result_.end == RelayEnd::Aborted;
  if (broken && result_.response_started && !switched_) {
    co_await ends_well(send_error_event());
  }
  co_return result_;
}

Task<void> Relay::guard(Task<void> part) {
  const bool well = co_await ends_well(std::move(part));
  if (!well) {
    fail_upstream(Flaw::Unfit);
  }
}

bool Relay::reusable() const {
  return result_.end == RelayEnd::Complete && keep_alive_ && !upgrade_ &&
         framing_ != BodyFraming::Close;
}

bool Relay::must_reset() const {
  if (switched_) {
    return !whole_;
  }
  return result_.end != RelayEnd::Complete && framing_ == BodyFraming::Close;
}

Task<void> Relay::transfer() {
  using namespace asio::experimental::awaitable_operators;  // NOLINT: the only way to get them
  UpstreamAddress address;
  address.path = plan_.socket_path;
  address.port = plan_.port;
  const error_code ec = co_await connect_upstream(upstream_, std::move(address));
  if (ec) {
    if (ec != asio::error::operation_aborted) {
      end_ = RelayEnd::UpstreamRefused;
    }
    co_return;
  }
  co_await (guard(send_request()) || guard(respond()));
}

Task<void> Relay::send_request() {
  const std::string_view body = request_body(plan_, exchange_);
  UpstreamForm form;
  form.request = plan_.request ? &*plan_.request : nullptr;
  form.upgrade = upgrade_;
  form.plain = must_be_plain(plan_, exchange_);
  const std::string header = upstream_request_header(exchange_.head(), body.size(), form);
  const std::array<asio::const_buffer, 2> buffers = {asio::buffer(header),
                                                     asio::buffer(body.data(), body.size())};
  // A failure is no news: an upstream may answer and close without reading everything. What it
  // answered, or that it did not, is for respond() to find out; this one only must not end before
  // it.
  [[maybe_unused]] auto [ec, count] = co_await asio::async_write(upstream_, buffers, kAwait);
  Signal never(upstream_.get_executor());
  co_await never.wait();
}

void Relay::fail_upstream(Flaw flaw) {
  end_ = upstream_spoke_ ? RelayEnd::UpstreamBroken : RelayEnd::UpstreamRefused;
  result_.flaw = flaw;
}

Task<void> Relay::respond() {
  // The results have names throughout: g++ 12 lays the frame out wrongly (its first word is not the
  // resume function, the program crashes) for two `if (!co_await …) co_return;` in a row.
  bool going_on = co_await read_head();
  if (!going_on) {
    co_return;
  }
  if (result_.status == 101) {
    co_await switch_protocols();
    co_return;
  }
  piece_.resize(kChunkFront + kPieceBytes + kChunkBack);
  if (result_.status >= 400 && (plan_.collect_errors || plan_.translator != nullptr)) {
    co_await collect_error();
    co_return;
  }
  if (const Flaw flaw = take_head(); flaw != Flaw::None) {
    fail_upstream(flaw);
    co_return;
  }
  if (plan_.translator == nullptr && !exchange_.early().started()) {
    going_on = co_await begin_answer(false);
  }
  if (going_on && result_.response_started && framing_ == BodyFraming::None) {
    end_ = RelayEnd::Complete;
  } else if (going_on) {
    co_await stream_body();
  }
}

// False: no more bytes; end_ is set if that was the upstream's doing.
Task<bool> Relay::fill() {
  if (input_.size() >= kInputBytesMax) {
    fail_upstream(Flaw::Unfit);
    co_return false;
  }
  const asio::mutable_buffer room = input_.prepare(kInputBytesMax - input_.size());
  auto [ec, count] = co_await upstream_.async_read_some(room, kAwait);
  input_.commit(count);
  upstream_spoke_ = upstream_spoke_ || count > 0;
  if (ec && ec != asio::error::operation_aborted) {
    upstream_closed_ = ec == asio::error::eof;
    fail_upstream();
  }
  co_return !ec;
}

// True: enough bytes for now, look at ec and the parser. False: more bytes are needed.
bool Relay::parse_some_head(error_code& ec) {
  while (input_.size() > 0 && !parser_->is_header_done()) {
    const std::size_t used = parser_->put(input_.data(), ec);
    input_.consume(used);
    if (ec == http::error::need_more) {
      ec = {};
      return false;
    }
    if (ec) {
      return true;
    }
  }
  return parser_->is_header_done();
}

Task<bool> Relay::read_head() {
  for (;;) {
    parser_.emplace();
    parser_->body_limit(boost::none);
    parser_->header_limit(kInputBytesMax);
    parser_->skip((plan_.request ? plan_.request->method : exchange_.head().method) == "HEAD");
    error_code ec;
    while (!parse_some_head(ec)) {
      const bool filled = co_await fill();
      if (!filled) {
        co_return false;
      }
    }
    const unsigned status = parser_->get().result_int();
    const bool switches = status == 101 && upgrade_ && parser_->get().count("Upgrade") > 0;
    const bool fit = !ec && too_many_fields(parser_->get()).empty();
    if (!fit || (status == 101 && !switches)) {
      fail_upstream(Flaw::Unfit);
      co_return false;
    }
    if (status / 100 != 1 || switches) {
      result_.status = static_cast<int>(status);
      co_return true;
    }
  }
}

Task<void> Relay::switch_protocols() {
  if (exchange_.early().started()) {
    fail_upstream(Flaw::Unfit);
    co_return;
  }
  exchange_.early().close();
  take_head();
  const bool sent = co_await send_head();
  switched_ = sent;
}

// Behind a 101.
Task<void> Relay::talk() {
  const UpgradeEnds ends{client_, upstream_, exchange_.abort(), *stall_};
  UpgradeRelay talk(ends, plan_.on_first_byte);
  const auto data = input_.cdata();
  std::string early(static_cast<const char*>(data.data()), data.size());
  co_await talk.run(std::move(early));
  end_ = talk.end();
  whole_ = talk.whole();
  result_.bytes_to_client = talk.bytes_to_client();
}

// Reads the body of an answer that is an error, for the service to say it in its own words.
Task<void> Relay::collect_error() {
  result_.retry_after = retry_after_of(parser_->get()[http::field::retry_after]);
  std::string& text = result_.error_body;
  bool late = false;
  Alarm alarm(upstream_.get_executor());
  alarm.set(plan_.error_within, [this, &late] {
    late = true;
    error_code ignored;
    upstream_.close(ignored);
  });
  for (;;) {
    error_code ec;
    const std::size_t count = decode(ec);
    text.append(piece_.data() + kChunkFront, std::min(count, kErrorBytesMax - text.size()));
    const bool bad = ec && ec != http::error::need_more && ec != http::error::need_buffer;
    if (bad || parser_->is_done() || text.size() == kErrorBytesMax) {
      break;
    }
    if (ec != http::error::need_more && input_.size() > 0) {
      continue;
    }
    const bool filled = co_await fill();
    if (!filled && !end_ && !late) {
      co_return;  // cancelled
    }
    if (!filled) {
      break;  // what came of it has to do
    }
  }
  end_ = RelayEnd::UpstreamError;
}

std::size_t Relay::decode(error_code& ec) {
  auto& sink = parser_->get().body();
  sink.data = piece_.data() + kChunkFront;
  sink.size = kPieceBytes;
  sink.more = true;
  while (!ec && input_.size() > 0 && sink.size > 0 && !parser_->is_done()) {
    const std::size_t used = parser_->put(input_.data(), ec);
    input_.consume(used);
  }
  return kPieceBytes - sink.size;
}

Task<void> Relay::stream_body() {
  for (;;) {
    error_code ec;
    const std::size_t count = decode(ec);
    const bool last = parser_->is_done();
    if (count > 0 || last) {
      const bool good = take_content(count, last);
      const bool sent = co_await send_content(last && good);
      if (!sent) {
        co_return;
      }
      if (!good) {
        fail_upstream(Flaw::Unfit);
        co_return;
      }
    }
    if (last) {
      end_ = RelayEnd::Complete;
      co_return;
    }
    if (ec && ec != http::error::need_more && ec != http::error::need_buffer) {
      fail_upstream(Flaw::Unfit);
      co_return;
    }
    if (ec != http::error::need_more && input_.size() > 0) {
      continue;
    }
    const bool filled = co_await fill();
    if (filled) {
      continue;
    }
    if (upstream_closed_ && parser_->need_eof()) {
      co_await finish_at_close();
    }
    co_return;
  }
}

// The upstream closed and its answer has no other end than that.
Task<void> Relay::finish_at_close() {
  end_.reset();
  asio::steady_timer grace(upstream_.get_executor());
  grace.expires_after(kCloseGrace);
  auto [cancelled] = co_await grace.async_wait(kAwait);
  if (cancelled) {
    co_return;
  }
  const bool good = take_content(0, true);
  const bool sent = co_await send_content(good);
  if (!sent) {
    co_return;
  }
  if (good) {
    end_ = RelayEnd::Complete;
  } else {
    fail_upstream();
  }
}

}  // namespace hf::net
