#include "net/upstream_call.h"

#include <exception>
#include <memory>
#include <utility>

#include "net/alarm.h"
#include "net/asio.h"
#include "net/upstream_connect.h"

namespace hf::net {
namespace {

http::request<http::string_body> message_of(UpstreamCall& call) {
  http::request<http::string_body> message(http::verb::post, call.target, 11);
  message.set(http::field::host, "localhost");
  message.set(http::field::connection, "close");
  message.set(http::field::content_type, "application/json");
  message.body() = std::move(call.body);
  message.prepare_payload();
  return message;
}

Task<Result<UpstreamAnswer>> exchange(UpstreamSocket& socket, UpstreamCall& call) {
  const UpstreamAddress address{call.socket_path, call.port};
  const error_code refused = co_await connect_upstream(socket, address);
  if (refused) {
    co_return fail(Errc::Unavailable, "the upstream does not take connections");
  }
  http::request<http::string_body> message = message_of(call);
  auto [write_error, written] = co_await http::async_write(socket, message, kAwait);
  if (write_error) {
    co_return fail(Errc::Io, "the upstream took no request: " + write_error.message());
  }
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(call.answer_bytes_max);
  auto [read_error, got] = co_await http::async_read(socket, buffer, parser, kAwait);
  if (read_error) {
    co_return fail(Errc::Io, "the upstream gave no whole answer: " + read_error.message());
  }
  UpstreamAnswer answer;
  answer.status = static_cast<int>(parser.get().result_int());
  answer.body = std::move(parser.get().body());
  co_return answer;
}

Task<void> run(UpstreamCall call, UpstreamCallback done) {
  UpstreamSocket socket(co_await asio::this_coro::executor);
  bool late = false;
  Alarm alarm(socket.get_executor());
  alarm.set(call.within, [&socket, &late] {
    late = true;
    error_code ignored;
    socket.close(ignored);
  });
  Result<UpstreamAnswer> answer = co_await exchange(socket, call);
  alarm.clear();
  if (!answer && late) {
    answer = fail(Errc::Timeout, "the upstream took too long to answer");
  }
  done(std::move(answer));
}

}  // namespace

void call_upstream(asio::io_context& io, UpstreamCall call, UpstreamCallback done) {
  const auto shared = std::make_shared<UpstreamCallback>(std::move(done));
  const auto told = std::make_shared<bool>(false);
  UpstreamCallback once = [shared, told](Result<UpstreamAnswer> answer) {
    *told = true;
    (*shared)(std::move(answer));
  };
  asio::co_spawn(io, run(std::move(call), std::move(once)),
                 [shared, told](const std::exception_ptr& failure) {
                   if (failure && !*told) {  // out of memory, in practice
                     (*shared)(fail(Errc::ResourceExhausted, "no memory for the answer"));
                   }
                 });
}

}  // namespace hf::net
