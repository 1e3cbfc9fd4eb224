#include "net/testing/harness.h"

#include <future>

#include "net/asio.h"

namespace hf::net::testing {

class TestServer::Loop {
 public:
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
};

TestServer::TestServer(ServerOptions options) : loop_(std::make_unique<Loop>()) {
  if (options.listen.empty()) {
    options.listen.push_back(ListenAddress{"127.0.0.1", 0});
  }
  server_ = std::make_unique<Server>(loop_->io, *this, std::move(options));
  const Status started = server_->start();
  HF_ASSERT(started.has_value(), "the test's server listens");
  port_ = server_->ports().front();
  thread_ = std::thread([this] { loop_->io.run(); });
}

TestServer::~TestServer() {
  close_all();
  on_loop([this] { held_.clear(); });
  loop_->work.reset();
  thread_.join();  // the loop runs dry: nothing was left behind
  server_.reset();
}

void TestServer::on_loop(const std::function<void()>& work) {
  std::promise<void> done;
  asio::post(loop_->io, [&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

void TestServer::reply(Exchange& exchange, int status, std::string body) {
  on_loop([&] {
    Reply reply;
    reply.status = status;
    reply.body = std::move(body);
    exchange.reply(std::move(reply));
  });
}

void TestServer::relay(Exchange& exchange, const std::string& socket_path, RelayEvents& events) {
  RelayPlan plan;
  plan.socket_path = socket_path;
  relay(exchange, std::move(plan), events);
}

void TestServer::relay(Exchange& exchange, RelayPlan plan, RelayEvents& events) {
  on_loop([&] {
    plan.response_headers.push_back(Header{"x-request-id", "r1"});
    if (!plan.stream_error) {
      plan.stream_error = [](const RelayResult& result, std::string_view) {
        return std::string(result.end == RelayEnd::Aborted ? kAbortedEvent : kBrokenEvent);
      };
    }
    plan.on_first_byte = [&events] { events.calls.push("first"); };
    plan.on_stall = [&events](bool stalled) { events.calls.push(stalled ? "stall" : "unstall"); };
    plan.on_done = [&events](const RelayResult& result) {
      events.calls.push("done");
      events.results.push(result);
    };
    exchange.relay(std::move(plan));
  });
}

void TestServer::start_stream(Exchange& exchange, std::string content_type) {
  on_loop([&] {
    StreamHead head;
    head.content_type = std::move(content_type);
    head.headers.push_back(Header{"x-request-id", "r1"});
    exchange.start_stream(std::move(head));
  });
}

void TestServer::write(Exchange& exchange, std::string piece) {
  on_loop([&] { exchange.write(std::move(piece)); });
}

void TestServer::end_stream(Exchange& exchange, std::string last_piece) {
  on_loop([&] { exchange.end_stream(std::move(last_piece)); });
}

void TestServer::break_stream(Exchange& exchange, std::string last_words) {
  on_loop([&] { exchange.break_stream(std::move(last_words)); });
}

void TestServer::abort_relay(Exchange& exchange) {
  on_loop([&] { exchange.abort_relay(); });
}

void TestServer::watch_disconnect(Exchange& exchange, Mailbox<std::string>& gone) {
  on_loop([&] { exchange.on_disconnect([&gone] { gone.push("gone"); }); });
}

void TestServer::use_tls(std::shared_ptr<const TlsContext> context) {
  on_loop([&] { server_->use_tls(std::move(context)); });
}

void TestServer::stop_accepting() {
  on_loop([this] { server_->stop_accepting(); });
}

void TestServer::close_all() {
  on_loop([this] { server_->close_all(); });
}

std::size_t TestServer::open_connections() {
  std::size_t count = 0;
  on_loop([&] { count = server_->open_connections(); });
  return count;
}

void TestServer::wait_until_empty() {
  while (open_connections() > 0) {
    std::this_thread::yield();
  }
}

std::optional<Reply> TestServer::check_head(const RequestHead& head) {
  return judge ? judge(head) : std::nullopt;
}

std::uint64_t TestServer::body_limit(const RequestHead&) const {
  return limit;
}

Reply TestServer::too_large(const RequestHead&, std::uint64_t bytes_max) {
  Reply reply;
  reply.status = 413;
  reply.body = "at most " + std::to_string(bytes_max);
  return reply;
}

Reply TestServer::unfit(Unfit reason, const RequestHead* head, std::string_view why) {
  Reply reply;
  switch (reason) {
    case Unfit::NotHttp:
      reply.status = 400;
      break;
    case Unfit::BodyStalled:
      reply.status = 408;
      break;
    case Unfit::NoMemory:
    case Unfit::TooManyBodies:
    case Unfit::TooManyConnections:
      reply.status = 503;
      break;
  }
  reply.body = (head != nullptr ? head->path : "") + std::string(why);
  return reply;
}

void TestServer::handle(std::shared_ptr<Exchange> exchange) {
  if (handler) {
    handler(std::move(exchange));
    return;
  }
  held_.push_back(exchange);
  exchanges_.push(exchange.get());
}

std::string get(std::string_view target, std::string_view more_headers) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(more_headers) +
         "\r\n";
}

std::string post(std::string_view target, std::string_view body, std::string_view more_headers) {
  return "POST " + std::string(target) +
         " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(more_headers) + "\r\n" + std::string(body);
}

}  // namespace hf::net::testing
