#include "net/request_reader.h"

#include <limits>
#include <utility>

#include "net/header_scan.h"

namespace hf::net {
namespace {

constexpr std::size_t kHeadRead = 4 * 1024;
constexpr std::size_t kBodyRead = 64 * 1024;
// A chunk's size line with its extensions, or the trailer: nothing honest comes near it.
constexpr std::size_t kChunkLineMax = 16 * 1024;

}  // namespace

RequestReader::RequestReader(ClientConnection& client, const ServerOptions& options,
                             std::shared_ptr<BodyBudget> budget)
    : client_(client), options_(options), body_(std::move(budget)) {
  parser_.body_limit(boost::none);  // the session's own limit counts, and says so in its own words
  parser_.header_limit(std::numeric_limits<std::uint32_t>::max());  // bounded before it gets there
}

ReadEnd RequestReader::malformed(std::string_view why) {
  why_ = why;
  return ReadEnd::Malformed;
}

Task<ReadEnd> RequestReader::read_head() {
  HeaderScanner scanner;
  client_.set_deadline(options_.header_deadline);
  for (;;) {
    const std::string_view input = client_.input();
    const ScanState state = scanner.scan(input);
    if (state == ScanState::Bad) {
      co_return malformed(scanner.why());
    }
    if (state == ScanState::Complete && scanner.size() <= options_.header_bytes_max) {
      break;
    }
    if (input.size() >= options_.header_bytes_max) {
      co_return malformed("the header is too large");
    }
    const error_code ec = co_await client_.read_some(kHeadRead);
    if (ec) {
      co_return ReadEnd::Closed;
    }
  }
  client_.clear_deadline();
  const std::size_t leading = scanner.leading();
  const ReadEnd end = parse_head(client_.input().substr(leading, scanner.size() - leading));
  client_.consume(scanner.size());
  co_return end;
}

ReadEnd RequestReader::parse_head(std::string_view block) {
  error_code ec;
  parser_.put(asio::buffer(block.data(), block.size()), ec);
  if (ec || !parser_.is_header_done()) {
    return malformed("the header is not HTTP: " + ec.message());
  }
  auto decoded = decode_head(parser_.get().base());
  if (!decoded) {
    return malformed(decoded.error());
  }
  decoded_ = std::move(*decoded);
  decoded_.head.peer = client_.peer();
  return ReadEnd::Complete;
}

error_code RequestReader::parse_body(std::uint64_t limit) {
  while (!parser_.is_done()) {
    const std::string_view input = client_.input();
    if (input.empty()) {
      return http::error::need_more;
    }
    const std::span<char> room = body_.room();
    if (room.empty()) {
      return http::error::bad_alloc;
    }
    http::buffer_body::value_type& sink = parser_.get().body();
    sink.data = room.data();
    sink.size = room.size();
    sink.more = true;
    error_code ec;
    const std::size_t used = parser_.put(asio::buffer(input.data(), input.size()), ec);
    client_.consume(used);
    body_.commit(room.size() - sink.size);
    if (body_.size() > limit) {
      return http::error::body_limit;
    }
    if (ec && ec != http::error::need_buffer) {
      return ec;
    }
  }
  return {};
}

Task<ReadEnd> RequestReader::read_body(std::uint64_t limit) {
  for (;;) {
    const error_code ec = parse_body(limit);
    if (!ec) {
      break;
    }
    if (ec == http::error::body_limit) {
      co_return ReadEnd::TooLarge;
    }
    if (ec == http::error::bad_alloc) {
      co_return body_.over_budget() ? ReadEnd::NoRoom : ReadEnd::OutOfMemory;
    }
    if (ec != http::error::need_more || client_.input().size() >= kChunkLineMax) {
      co_return malformed("the body is not HTTP: " + ec.message());
    }
    client_.set_deadline(options_.body_deadline);
    const error_code read_error = co_await client_.read_some(kBodyRead);
    if (read_error == asio::error::operation_aborted) {
      co_return ReadEnd::Stalled;  // or the session was cut: then the answer fails to be sent
    }
    if (read_error) {
      co_return ReadEnd::Closed;
    }
  }
  client_.clear_deadline();
  co_return body_.finish() ? ReadEnd::Complete : ReadEnd::OutOfMemory;
}

}  // namespace hf::net
