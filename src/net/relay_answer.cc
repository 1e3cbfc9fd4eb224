// The client's side of a relay: the head of the answer, its content and its last words.

#include <algorithm>

#include "net/chunk.h"
#include "net/media_type.h"
#include "net/relay.h"

namespace hf::net {
namespace {

constexpr std::chrono::seconds kErrorEventTime{1};

bool is_compressed(const std::vector<Header>& headers) {
  return std::any_of(headers.begin(), headers.end(), [](const Header& each) {
    return header_equals(each.name, "content-encoding") && !header_equals(each.value, "identity");
  });
}

}  // namespace

// Makes head_ and content_type_ of the parsed head. A flaw: this cannot be what the client waits
// for.
Flaw Relay::take_head() {
  const auto& response = parser_->get();
  head_.status = result_.status;
  head_.reason.assign(response.reason().data(), response.reason().size());
  for (const auto& field : response) {
    Header header;
    header.name.assign(field.name_string().data(), field.name_string().size());
    header.value.assign(field.value().data(), field.value().size());
    const bool is_type = header_equals(header.name, "content-type");
    if (is_type) {
      content_type_ = header.value;
    }
    if (!is_type || plan_.translator == nullptr) {
      head_.headers.push_back(std::move(header));
    }
  }
  if (const auto length = parser_->content_length()) {
    head_.length = *length;
  }
  const EarlyStream& early = exchange_.early();
  if (plan_.translator != nullptr) {
    content_type_ = plan_.translator->content_type(result_.status, content_type_);
    Header header;
    header.name = "Content-Type";
    header.value = content_type_;
    head_.headers.push_back(std::move(header));
    const bool fit = !status_forbids_body(result_.status) && !is_compressed(head_.headers);
    return fit ? Flaw::None : Flaw::Unfit;
  }
  if (!early.started()) {
    return Flaw::None;
  }
  if (!header_equals(media_type(content_type_), media_type(early.content_type()))) {
    return Flaw::NoStream;
  }
  return is_compressed(head_.headers) ? Flaw::Unfit : Flaw::None;
}

// `whole`: what is there to send now is all there will be.
Task<bool> Relay::begin_answer(bool whole) {
  EarlyStream& early = exchange_.early();
  if (early.started()) {
    const bool drained = co_await early.drain();
    if (drained) {
      framing_ = early.framing();
      content_type_ = early.content_type();
      result_.response_started = true;
    }
    co_return drained;
  }
  early.close();
  if (plan_.translator != nullptr) {
    head_.length.reset();
    if (whole) {
      head_.length = content_size_;
    }
  }
  if (exchange_.head().method == "HEAD" || status_forbids_body(result_.status)) {
    framing_ = BodyFraming::None;
  } else if (head_.length) {
    framing_ = BodyFraming::Length;
  } else {
    framing_ = request_.http10 ? BodyFraming::Close : BodyFraming::Chunked;
  }
  const bool sent = co_await send_head();
  co_return sent;
}

Task<bool> Relay::send_head() {
  head_.framing = framing_;
  ReplyForm form;
  form.http10 = request_.http10;
  form.keep_alive = keep_alive_ && framing_ != BodyFraming::Close;
  const std::string text = relayed_header(head_, plan_.response_headers, form);
  std::string_view rest = text;
  result_.response_started = true;
  between_pieces_ = false;
  const error_code ec = co_await client_.write(rest, &*stall_);
  between_pieces_ = !ec;
  if (ec && ec != asio::error::operation_aborted) {
    end_ = RelayEnd::ClientGone;
  }
  co_return !ec;
}

// What the client gets for `count` decoded bytes. False: they were not what they should have been,
// and this is the last that can be made of them.
bool Relay::take_content(std::size_t count, bool last) {
  content_ = piece_.data() + kChunkFront;
  content_size_ = count;
  if (plan_.translator == nullptr) {
    return true;
  }
  translated_.assign(kChunkFront, ' ');
  if (count > 0) {
    translated_ += plan_.translator->translate(std::string_view(content_, count));
  }
  bool good = !plan_.translator->failed();
  if (good && last) {
    const std::optional<std::string> rest = plan_.translator->finish();
    good = rest.has_value();
    translated_ += rest.value_or("");
  }
  content_size_ = translated_.size() - kChunkFront;
  translated_.append(kChunkBack, ' ');
  content_ = translated_.data() + kChunkFront;
  return good;
}

// Sends what take_content() left, framed for the client; with `last` the end of the body too.
Task<bool> Relay::send_content(bool last) {
  if (content_size_ == 0 && !last) {
    co_return true;
  }
  if (!result_.response_started) {
    const bool begun = co_await begin_answer(last);
    if (begun && framing_ == BodyFraming::None) {
      end_ = RelayEnd::Complete;  // a translated answer to a HEAD
    }
    if (!begun || end_) {
      co_return false;
    }
  }
  std::string_view rest(content_, content_size_);
  if (framing_ == BodyFraming::Chunked) {
    rest = frame_chunk(content_, content_size_, last);
  }
  between_pieces_ = false;
  const error_code ec = co_await client_.write(rest, &*stall_);
  if (ec) {
    if (ec != asio::error::operation_aborted) {
      end_ = RelayEnd::ClientGone;
    }
    co_return false;
  }
  between_pieces_ = true;
  note_sent(std::string_view(content_, content_size_));
  co_return true;
}

void Relay::note_sent(std::string_view content) {
  body_tail_.append(content.substr(content.size() - std::min<std::size_t>(content.size(), 2)));
  body_tail_.erase(0, body_tail_.size() - std::min<std::size_t>(body_tail_.size(), 2));
  const bool first = result_.bytes_to_client == 0 && !content.empty();
  result_.bytes_to_client += content.size();
  if (first && plan_.on_first_byte) {
    plan_.on_first_byte();
  }
}

// The last words in a stream that broke. Inside a half-written piece they would be taken for its
// rest, and a body with a Content-Length has no room for them.
Task<void> Relay::send_error_event() {
  const bool has_room = framing_ == BodyFraming::Chunked || framing_ == BodyFraming::Close;
  if (!between_pieces_ || !has_room || !plan_.stream_error || !is_stream(content_type_)) {
    co_return;
  }
  std::string text = plan_.stream_error(result_, content_type_);
  if (text.empty()) {
    co_return;
  }
  text.insert(0, missing_end(content_type_, body_tail_));
  const std::string piece = framing_ == BodyFraming::Chunked ? chunk(text) : text;
  // Who does not take it sees the cut all the same.
  [[maybe_unused]] const error_code ec = co_await client_.write_within(piece, kErrorEventTime);
}

}  // namespace hf::net
