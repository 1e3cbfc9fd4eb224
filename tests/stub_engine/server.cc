#include "stub_engine/server.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <utility>

namespace hf::stub {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
constexpr auto kLookAgain = 2ms;
constexpr std::uint64_t kBodyBytesMax = 64 * 1024 * 1024;
constexpr int kDefaultTokens = 16;

asio::awaitable<void> pause(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  static_cast<void>(co_await timer.async_wait(kToken));
}

bool peer_left(Server::Socket& socket) {
  char byte = 0;
  return !socket.is_open() ||
         ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

int number_in(const json::object& body, const char* key, int otherwise) {
  const json::value* value = body.if_contains(key);
  return value != nullptr && value->is_int64() ? static_cast<int>(value->as_int64()) : otherwise;
}

bool flag_in(const json::object& body, const char* key) {
  const json::value* value = body.if_contains(key);
  return value != nullptr && value->is_bool() && value->as_bool();
}

// False if the request's "stub" field cannot be understood.
bool apply_overrides(Serving& serving, const json::object& body) {
  const json::value* own = body.if_contains("stub");
  if (own == nullptr) {
    return true;
  }
  try {
    serving = merged(serving, own->as_object());
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

std::string error_body(unsigned status, const char* message) {
  return json::serialize(json::object{
      {"error", json::object{{"code", status}, {"message", message}, {"type", "stub_error"}}}});
}

}  // namespace

struct Server::Work {
  Completion completion;
  Serving serving;
};

Server::Server(asio::io_context& io, const Options& options, const Script& script)
    : io_(io), options_(options), script_(script), acceptor_(io) {
  const asio::local::stream_protocol::endpoint endpoint(options.host);
  acceptor_.open(endpoint.protocol());
  acceptor_.bind(endpoint);
  acceptor_.listen(512);
}

void Server::start() {
  asio::co_spawn(io_, accept(), asio::detached);
}

void Server::close_all() {
  acceptor_.close();
  for (Socket* socket : open_) {
    beast::error_code ignored;
    socket->close(ignored);
  }
}

asio::awaitable<void> Server::accept() {
  for (;;) {
    auto [error, socket] = co_await acceptor_.async_accept(kToken);
    if (error) {
      co_return;
    }
    asio::co_spawn(io_, serve(std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> Server::serve(Socket socket) {
  open_.insert(&socket);
  beast::flat_buffer buffer;
  bool more = true;
  while (more) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(kBodyBytesMax);
    auto [error, size] = co_await http::async_read(socket, buffer, parser, kToken);
    if (error) {
      break;
    }
    const Request request = parser.release();
    more = co_await answer(socket, request) && request.keep_alive();
  }
  open_.erase(&socket);
}

asio::awaitable<bool> Server::answer(Socket& socket, const Request& request) {
  const std::string target(request.target());
  if (target == "/health" && script_.health_hangs_when_busy) {
    co_await wait_until_idle();
  }
  if (!ready_) {
    log_event(options_.model, "not_ready", json::object{{"path", target}});
    co_return co_await send(socket, request, 503, error_body(503, "Loading model"));
  }
  if (target == "/health") {
    co_return co_await send(socket, request, 200, R"({"status":"ok"})");
  }
  if (target == "/v1/chat/completions" || target == "/v1/completions") {
    ++busy_;
    const bool good = co_await complete(socket, request);
    --busy_;
    co_return good;
  }
  unsigned status = 200;
  std::string body;
  if (target.starts_with("/slots/")) {
    body = slot_action(target, request.body(), status);
  } else if (target == "/v1/models") {
    body = json::serialize(json::object{
        {"object", "list"}, {"data", json::array{json::object{{"id", options_.alias}}}}});
  } else {
    body = echo(request);
  }
  co_return co_await send(socket, request, status, std::move(body));
}

asio::awaitable<void> Server::wait_until_idle() {
  while (busy_ > 0) {
    co_await pause(kLookAgain);
  }
}

asio::awaitable<bool> Server::send(Socket& socket, const Request& request, unsigned status,
                                   std::string body) {
  Response response(http::status(status), request.version());
  response.set(http::field::content_type, "application/json; charset=utf-8");
  response.set(http::field::server, "stub");
  response.keep_alive(request.keep_alive());
  response.body() = std::move(body);
  response.prepare_payload();
  auto [error, size] = co_await http::async_write(socket, response, kToken);
  co_return !error;
}

asio::awaitable<bool> Server::complete(Socket& socket, const Request& request) {
  Work work;
  work.serving = script_.serving;
  boost::system::error_code parse_error;
  const json::value parsed = json::parse(request.body(), parse_error);
  if (parse_error || !parsed.is_object()) {
    co_return co_await send(socket, request, 500, error_body(500, "not a JSON object"));
  }
  const json::object& body = parsed.as_object();
  if (!apply_overrides(work.serving, body)) {
    co_return co_await send(socket, request, 400, error_body(400, "the stub field is wrong"));
  }
  if (work.serving.status != 0) {
    const auto status = static_cast<unsigned>(work.serving.status);
    co_return co_await send(socket, request, status, error_body(status, "as scripted"));
  }
  if (work.serving.grow_bytes > 0) {
    grown_.emplace_back(static_cast<std::size_t>(work.serving.grow_bytes), 'x');
  }
  Completion& completion = work.completion;
  completion.chat = request.target() == "/v1/chat/completions";
  completion.stream = flag_in(body, "stream");
  if (const json::value* wanted = body.if_contains("stream_options");
      wanted != nullptr && wanted->is_object()) {
    completion.include_usage = flag_in(wanted->as_object(), "include_usage");
  }
  completion.id = fmt::format("chatcmpl-stub-{}", ++answers_);
  completion.model = options_.alias;
  completion.prompt_tokens = static_cast<int>(request.body().size() / 4) + 1;
  completion.cached_tokens =
      std::min(std::exchange(restored_tokens_, 0), completion.prompt_tokens - 1);
  const int room = std::max(1, options_.slot_context() - completion.prompt_tokens);
  int wanted = number_in(body, "max_tokens", kDefaultTokens);
  wanted = number_in(body, "max_completion_tokens", number_in(body, "n_predict", wanted));
  completion.max_tokens = work.serving.endless || wanted < 0 ? room : std::min(wanted, room);

  if (completion.stream) {
    co_return co_await stream(socket, work);
  }
  for (int said = 0; said < completion.max_tokens; ++said) {
    if (!co_await before_token(socket, work, said)) {
      co_return false;
    }
  }
  slot_tokens_ = completion.prompt_tokens + completion.max_tokens;
  log_event(options_.model, "finished", json::object{{"tokens", completion.max_tokens}});
  co_return co_await send(socket, request, 200, whole_answer(completion, completion.max_tokens));
}

// Everything the script wants to happen before the token after `said`; false once the reader has
// left.
asio::awaitable<bool> Server::before_token(Socket& socket, const Work& work, int said) {
  if (work.serving.crash_after == said) {
    log_event(options_.model, "crash", json::object{{"tokens", said}});
    if (work.serving.crash_signal == 0) {
      ::_exit(0);
    }
    ::signal(work.serving.crash_signal, SIG_DFL);
    ::kill(::getpid(), work.serving.crash_signal);
  }
  const bool holds = !work.serving.hold_until.empty() && said >= work.serving.hold_after;
  while (holds && ::access(work.serving.hold_until.c_str(), F_OK) != 0 && !peer_left(socket)) {
    co_await pause(kLookAgain);
  }
  if (work.serving.token_ms > 0) {
    co_await pause(std::chrono::milliseconds(work.serving.token_ms));
  }
  if (peer_left(socket)) {
    log_event(options_.model, "cancelled", json::object{{"tokens", said}});
    co_return false;
  }
  co_return true;
}

asio::awaitable<bool> Server::stream(Socket& socket, Work& work) {
  const Completion& completion = work.completion;
  // A crash before the first byte means before the header, too.
  if (work.serving.crash_after == 0 && !co_await before_token(socket, work, 0)) {
    co_return false;
  }
  http::response<http::empty_body> head(http::status::ok, 11);
  head.set(http::field::content_type, "text/event-stream");
  head.set(http::field::server, "stub");
  head.chunked(true);
  http::response_serializer<http::empty_body> serializer(head);
  auto [head_error, head_size] = co_await http::async_write_header(socket, serializer, kToken);
  if (head_error) {
    co_return false;
  }
  bool good = co_await send_chunk(socket, role_event(completion));
  for (int said = 0; good && said < completion.max_tokens; ++said) {
    if (!co_await before_token(socket, work, said)) {
      co_return false;
    }
    good = co_await send_chunk(socket, token_event(completion, said + 1));
  }
  slot_tokens_ = completion.prompt_tokens + completion.max_tokens;
  good = good && co_await send_chunk(socket, final_events(completion, completion.max_tokens));
  const auto end = http::make_chunk_last();
  auto [end_error, end_size] = co_await asio::async_write(socket, end, kToken);
  const char* outcome = good && !end_error ? "finished" : "cancelled";
  log_event(options_.model, outcome, json::object{{"tokens", completion.max_tokens}});
  co_return good && !end_error;
}

asio::awaitable<bool> Server::send_chunk(Socket& socket, std::string text) {
  if (text.empty()) {
    co_return true;  // an empty chunk would be the last one
  }
  const auto chunk = http::make_chunk(asio::buffer(text));
  auto [error, size] = co_await asio::async_write(socket, chunk, kToken);
  co_return !error;
}

std::string Server::slot_action(const std::string& target, const std::string& body,
                                unsigned& status) {
  boost::system::error_code error;
  const json::value parsed = json::parse(body, error);
  if (options_.slot_save_path.empty() || error || !parsed.is_object()) {
    status = options_.slot_save_path.empty() ? 501 : 400;
    return error_body(status, "This server does not support slots action");
  }
  const json::value* name = parsed.as_object().if_contains("filename");
  const std::string file_name =
      name != nullptr && name->is_string() ? std::string(name->as_string()) : std::string();
  const std::string path = options_.slot_save_path + file_name;
  const int id = std::atoi(target.c_str() + std::string_view("/slots/").size());
  json::object answer{{"id_slot", id}, {"filename", file_name}};
  if (target.ends_with("action=save")) {
    std::ofstream(path) << slot_tokens_;
    answer["n_saved"] = slot_tokens_;
    answer["timings"] = json::object{{"save_ms", 1.0}};
  } else if (target.ends_with("action=restore")) {
    int tokens = -1;
    std::ifstream(path) >> tokens;
    if (tokens < 0) {
      status = 400;
      return error_body(status, "Unable to restore slot");
    }
    restored_tokens_ = tokens;
    answer["n_restored"] = tokens;
    answer["timings"] = json::object{{"restore_ms", 1.0}};
  } else {
    answer["n_erased"] = std::exchange(slot_tokens_, 0);
  }
  return json::serialize(answer);
}

std::string Server::echo(const Request& request) const {
  json::object headers;
  for (const auto& field : request) {
    headers[json::string_view(field.name_string().data(), field.name_string().size())] =
        json::string_view(field.value().data(), field.value().size());
  }
  return json::serialize(json::object{{"method", std::string(request.method_string())},
                                      {"path", std::string(request.target())},
                                      {"headers", std::move(headers)},
                                      {"body", request.body()},
                                      {"model", options_.alias}});
}

}  // namespace hf::stub
