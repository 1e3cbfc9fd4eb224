#include "api/headed_exchange.h"

#include <utility>

namespace hf::api {
namespace {

class HeadedExchange final : public net::Exchange {
 public:
  HeadedExchange(std::shared_ptr<net::Exchange> inner, std::vector<net::Header> headers)
      : inner_(std::move(inner)), headers_(std::move(headers)) {}

  const net::RequestHead& head() const override { return inner_->head(); }
  std::string_view body() const override { return inner_->body(); }
  void reply(net::Reply reply) override {
    append(reply.headers, headers_);
    inner_->reply(std::move(reply));
  }
  void relay(net::RelayPlan plan) override {
    append(plan.response_headers, headers_);
    inner_->relay(std::move(plan));
  }
  void start_stream(net::StreamHead head) override {
    append(head.headers, headers_);
    inner_->start_stream(std::move(head));
  }
  [[nodiscard]] bool stream_started() const override { return inner_->stream_started(); }
  void write(std::string piece) override { inner_->write(std::move(piece)); }
  void end_stream(std::string last_piece) override { inner_->end_stream(std::move(last_piece)); }
  void break_stream(std::string last_words) override {
    inner_->break_stream(std::move(last_words));
  }
  void abort_relay() override { inner_->abort_relay(); }
  void on_disconnect(std::function<void()> callback) override {
    inner_->on_disconnect(std::move(callback));
  }

 private:
  std::shared_ptr<net::Exchange> inner_;
  std::vector<net::Header> headers_;
};

}  // namespace

std::shared_ptr<net::Exchange> with_headers(std::shared_ptr<net::Exchange> exchange,
                                            std::vector<net::Header> headers) {
  if (headers.empty()) {
    return exchange;
  }
  return std::make_shared<HeadedExchange>(std::move(exchange), std::move(headers));
}

void append(std::vector<net::Header>& headers, const std::vector<net::Header>& more) {
  headers.insert(headers.end(), more.begin(), more.end());
}

}  // namespace hf::api
