#include "net/relay.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/assert.h"
#include "net/upstream_connect.h"

namespace hf::net {
namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;
constexpr std::size_t kInputBytesMax = 64 * 1024;
constexpr std::size_t kFront = 16;  // hex size and CRLF of a chunk of kPieceBytes
constexpr std::size_t kBack = 8;    // CRLF and the closing chunk
constexpr std::string_view kCrlf = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";
// A body that ends with the connection cannot be told from a cut one. Its end waits that long for
// the news of the child's death (abort_relay); the kernel closes a dying process's sockets
// milliseconds before its pidfd reports it.
constexpr std::chrono::milliseconds kCloseGrace{100};
constexpr std::chrono::seconds kErrorEventTime{1};

std::string_view media_of(std::string_view content_type) {
  return content_type.substr(0, content_type.find_first_of("; \t"));
}

bool is_event_stream(std::string_view content_type) {
  return header_equals(media_of(content_type), "text/event-stream");
}

bool is_stream(std::string_view content_type) {
  const std::string_view media = media_of(content_type);
  return is_event_stream(content_type) || header_equals(media, "application/x-ndjson") ||
         header_equals(media, "application/jsonl") ||
         header_equals(media, "application/json-lines") ||
         header_equals(media, "application/x-jsonlines");
}

// What must follow a body that ends with `tail` so that a new event or line can begin. A body in
// which every line ends with CRLF gets one more blank line than it needs, which means nothing.
std::string_view missing_end(std::string_view content_type, std::string_view tail) {
  const std::string_view end = is_event_stream(content_type) ? "\n\n" : "\n";
  if (tail.empty() || tail.ends_with(end)) {
    return {};
  }
  return tail.ends_with('\n') ? "\n" : end;
}

std::size_t write_chunk_line(char* end, std::size_t count) {
  std::array<char, kFront> line{};
  char* stop = std::to_chars(line.data(), line.data() + line.size(), count, 16).ptr;
  stop = std::copy(kCrlf.begin(), kCrlf.end(), stop);
  const auto size = static_cast<std::size_t>(stop - line.data());
  std::memcpy(end - size, line.data(), size);
  return size;
}

}  // namespace

Relay::Relay(ClientConnection& client, ExchangeState& exchange, Framing request,
             const RelayPlan& plan, bool keep_alive)
    : client_(client),
      exchange_(exchange),
      request_(request),
      plan_(plan),
      keep_alive_(keep_alive),
      request_header_(upstream_request_header(exchange.head(), exchange.body().size())),
      upstream_(client.executor()) {
  stall_.emplace(client.executor(), plan.on_stall);
}

Task<RelayResult> Relay::run() {
  using namespace asio::experimental::awaitable_operators;  // NOLINT: the only way to get them
  if (!exchange_.abort().raised()) {
    co_await (client_.watch() || exchange_.abort().wait() || transfer());
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
  if (broken && result_.response_started) {
    co_await send_error_event();
  }
  co_return result_;
}

bool Relay::reusable() const {
  return result_.end == RelayEnd::Complete && keep_alive_ && framing_ != BodyFraming::Close;
}

Task<void> Relay::transfer() {
  using namespace asio::experimental::awaitable_operators;  // NOLINT: the only way to get them
  const error_code ec = co_await connect_upstream(upstream_, plan_.socket_path);
  if (ec) {
    if (ec != asio::error::operation_aborted) {
      end_ = RelayEnd::UpstreamRefused;
    }
    co_return;
  }
  co_await (send_request() || respond());
}

Task<void> Relay::send_request() {
  const std::string_view body = exchange_.body();
  const std::array<asio::const_buffer, 2> buffers = {asio::buffer(request_header_),
                                                     asio::buffer(body.data(), body.size())};
  // A failure is no news: an upstream may answer and close without reading everything. What it
  // answered, or that it did not, is for respond() to find out; this one only must not end before
  // it.
  [[maybe_unused]] auto [ec, count] = co_await asio::async_write(upstream_, buffers, kAwait);
  Signal never(upstream_.get_executor());
  co_await never.wait();
}

void Relay::fail_upstream() {
  end_ = result_.response_started ? RelayEnd::UpstreamBroken : RelayEnd::UpstreamRefused;
}

Task<void> Relay::respond() {
  // The results have names throughout: g++ 12 lays the frame out wrongly (its first word is not the
  // resume function, the program crashes) for two `if (!co_await …) co_return;` in a row.
  bool going_on = co_await read_head();
  if (going_on) {
    going_on = co_await send_head();
  }
  if (going_on) {
    co_await stream_body();
  }
}

// False: no more bytes; end_ is set if that was the upstream's doing.
Task<bool> Relay::fill() {
  if (input_.size() >= kInputBytesMax) {
    fail_upstream();
    co_return false;
  }
  const asio::mutable_buffer room = input_.prepare(kInputBytesMax - input_.size());
  auto [ec, count] = co_await upstream_.async_read_some(room, kAwait);
  input_.commit(count);
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
    parser_->skip(exchange_.head().method == "HEAD");
    error_code ec;
    while (!parse_some_head(ec)) {
      const bool filled = co_await fill();
      if (!filled) {
        co_return false;
      }
    }
    const unsigned status = parser_->get().result_int();
    if (ec || status == 101) {
      fail_upstream();
      co_return false;
    }
    if (status / 100 != 1) {
      result_.status = static_cast<int>(status);
      co_return true;
    }
  }
}

Task<bool> Relay::send_head() {
  const auto& response = parser_->get();
  RelayedHead head;
  head.status = result_.status;
  head.reason.assign(response.reason().data(), response.reason().size());
  for (const auto& field : response) {
    Header header;
    header.name.assign(field.name_string().data(), field.name_string().size());
    header.value.assign(field.value().data(), field.value().size());
    if (header_equals(header.name, "content-type")) {
      content_type_ = header.value;
    }
    head.headers.push_back(std::move(header));
  }
  if (const auto length = parser_->content_length()) {
    head.length = *length;
  }
  if (exchange_.head().method == "HEAD" || status_forbids_body(result_.status)) {
    framing_ = BodyFraming::None;
  } else if (head.length) {
    framing_ = BodyFraming::Length;
  } else {
    framing_ = request_.http10 ? BodyFraming::Close : BodyFraming::Chunked;
  }
  head.framing = framing_;
  ReplyForm form;
  form.http10 = request_.http10;
  form.keep_alive = keep_alive_ && framing_ != BodyFraming::Close;
  const std::string text = relayed_header(head, plan_.response_headers, form);
  result_.response_started = true;
  between_pieces_ = false;
  const error_code ec = co_await client_.write(text, *stall_);
  between_pieces_ = !ec;
  if (ec && ec != asio::error::operation_aborted) {
    end_ = RelayEnd::ClientGone;
  }
  co_return !ec;
}

std::size_t Relay::decode(error_code& ec) {
  auto& sink = parser_->get().body();
  sink.data = piece_.data() + kFront;
  sink.size = kPieceBytes;
  sink.more = true;
  while (!ec && input_.size() > 0 && sink.size > 0 && !parser_->is_done()) {
    const std::size_t used = parser_->put(input_.data(), ec);
    input_.consume(used);
  }
  return kPieceBytes - sink.size;
}

Task<void> Relay::stream_body() {
  piece_.resize(kFront + kPieceBytes + kBack);
  for (;;) {
    error_code ec;
    const std::size_t count = decode(ec);
    const bool last = parser_->is_done();
    if (count > 0 || last) {
      const bool sent = co_await send_piece(count, last);
      if (!sent) {
        co_return;
      }
    }
    if (last) {
      end_ = RelayEnd::Complete;
      co_return;
    }
    if (ec && ec != http::error::need_more && ec != http::error::need_buffer) {
      fail_upstream();
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
  const bool sent = co_await send_piece(0, true);
  if (sent) {
    end_ = RelayEnd::Complete;
  }
}

// Sends `count` decoded bytes of piece_, framed for the client; with `last` the end of the body
// too.
Task<bool> Relay::send_piece(std::size_t count, bool last) {
  char* begin = piece_.data() + kFront;
  char* end = begin + count;
  if (framing_ == BodyFraming::Chunked) {
    if (count > 0) {
      begin -= write_chunk_line(begin, count);
      end = std::copy(kCrlf.begin(), kCrlf.end(), end);
    }
    if (last) {
      end = std::copy(kLastChunk.begin(), kLastChunk.end(), end);
    }
  }
  const std::string_view bytes(begin, static_cast<std::size_t>(end - begin));
  between_pieces_ = false;
  const error_code ec = co_await client_.write(bytes, *stall_);
  if (ec) {
    if (ec != asio::error::operation_aborted) {
      end_ = RelayEnd::ClientGone;
    }
    co_return false;
  }
  between_pieces_ = true;
  const std::size_t kept = std::min<std::size_t>(count, 2);
  body_tail_.append(piece_.data() + kFront + (count - kept), kept);
  body_tail_.erase(0, body_tail_.size() - std::min<std::size_t>(body_tail_.size(), 2));
  const bool first = result_.bytes_to_client == 0 && count > 0;
  result_.bytes_to_client += count;
  if (first && plan_.on_first_byte) {
    plan_.on_first_byte();
  }
  co_return true;
}

// The last words in a stream that broke. Inside a half-written piece they would be taken for its
// rest, and a body with a Content-Length has no room for them.
Task<void> Relay::send_error_event() {
  const bool has_room = framing_ == BodyFraming::Chunked || framing_ == BodyFraming::Close;
  if (!between_pieces_ || !has_room || !plan_.stream_error || !is_stream(content_type_)) {
    co_return;
  }
  std::string text = plan_.stream_error(result_.end, content_type_);
  if (text.empty()) {
    co_return;
  }
  text.insert(0, missing_end(content_type_, body_tail_));
  std::string piece(kFront, ' ');
  std::size_t skipped = kFront;
  if (framing_ == BodyFraming::Chunked) {
    skipped -= write_chunk_line(piece.data() + kFront, text.size());
  }
  piece.append(text);
  if (framing_ == BodyFraming::Chunked) {
    piece.append(kCrlf);
  }
  const std::string_view bytes = std::string_view(piece).substr(skipped);
  // Who does not take it sees the cut all the same.
  [[maybe_unused]] const error_code ec = co_await client_.write_within(bytes, kErrorEventTime);
}

}  // namespace hf::net
