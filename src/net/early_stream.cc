#include "net/early_stream.h"

#include <utility>

#include "base/assert.h"
#include "net/chunk.h"

namespace hf::net {
namespace {

// Pieces that were offered in the same turn of the loop leave together; more than that is not a
// heartbeat.
constexpr std::size_t kWaitingBytesMax = 16 * 1024;
constexpr std::chrono::seconds kLastWordsTime{1};
constexpr std::chrono::seconds kWholeTime{30};  // as for a reply

}  // namespace

EarlyStream::EarlyStream(const asio::any_io_executor& executor, ReplyForm form)
    : form_(form), offered_(executor), left_(executor) {}

std::string EarlyStream::framed(std::string_view piece) const {
  return framing() == BodyFraming::Chunked ? chunk(piece) : std::string(piece);
}

void EarlyStream::start(const StreamHead& head) {
  HF_ASSERT(!started_, "a stream begins once");
  HF_ASSERT(!closed_, "a stream begins before another answer does");
  started_ = true;
  content_type_ = head.content_type;
  waiting_ = stream_header(head, form_);
  offered_.raise();
}

void EarlyStream::offer(std::string_view piece) {
  if (!started_ || closed_ || draining_ || piece.empty()) {
    return;
  }
  if (!rest_.empty() || (!waiting_.empty() && waiting_.size() + piece.size() > kWaitingBytesMax)) {
    return;
  }
  waiting_ += framed(piece);
  offered_.raise();
}

Task<void> EarlyStream::pump(ClientConnection& client, StallWatch* stall) {
  client.give_up_unacknowledged(started_ && stall == nullptr);
  for (;;) {
    if (has_left()) {
      left_.raise();
      offered_.lower();
      co_await offered_.wait();
      if (!offered_.raised()) {
        co_return;
      }
    }
    if (rest_.empty()) {
      writing_ = std::exchange(waiting_, {});
      rest_ = writing_;
    }
    client.give_up_unacknowledged(stall == nullptr);
    const error_code ec = co_await client.write(rest_, stall);
    if (ec) {
      co_return;
    }
  }
}

Task<bool> EarlyStream::drain() {
  if (!has_left()) {
    draining_ = true;
    left_.lower();
    co_await left_.wait();
    draining_ = false;
  }
  closed_ = has_left();
  co_return closed_;
}

Task<bool> EarlyStream::end(ClientConnection& client, const StreamEnd& end) {
  closed_ = true;
  std::string text = std::string(rest_) + waiting_ + framed(end.text);
  if (end.whole && framing() == BodyFraming::Chunked) {
    text += kLastChunk;
  }
  rest_ = {};
  waiting_.clear();
  // Who does not take it sees a cut.
  const error_code ec = co_await client.write_within(text, end.whole ? kWholeTime : kLastWordsTime);
  co_return !ec;
}

}  // namespace hf::net
