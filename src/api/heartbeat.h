#pragma once
// What a streaming request hears while nothing comes from its model yet: that it is alive, how it
// stands in line, how far the load is. Why: people watch an empty screen otherwise, clients run
// into their time-outs, and proxies cut connections on which nothing moves. Every form is one that
// the client's API allows and its stock clients skip: comments in an event stream, Anthropic's ping
// events, an empty piece of an answer for Ollama's. Loop thread; the texts are pure.

#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/context.h"
#include "engine/refusal.h"
#include "net/exchange.h"

namespace hf::api {

// How it stands, for `wait` as the engine tells it; nullopt: it was granted, and its model reads
// the prompt.
boost::json::object progress_object(const std::optional<engine::WaitNow>& wait);

// One heartbeat of an event stream. The progress goes in a comment, which clients skip and people
// with curl read; Anthropic's clients get a ping beside it.
std::string event_stream_heartbeat(const boost::json::object& progress, Dialect dialect);

// False if the client wants none: `x-holdfast-heartbeat: off` (0, no and false are off, too).
bool wants_heartbeats(const net::RequestHead& head);

// The first heartbeat comes a second after start(), the next ones every two seconds; once the
// request was granted every ten, because a long prompt is silent, too. An answer whose heartbeats
// have begun is a 200: what goes wrong later must be said in its stream.
class Heartbeats : public std::enable_shared_from_this<Heartbeats> {
 public:
  struct Source {
    std::function<net::StreamHead()> head;  // asked once, before the first heartbeat
    std::function<std::string()> text;      // the next heartbeat
  };

  // `source` may borrow what lives until stop().
  Heartbeats(After after, std::shared_ptr<net::Exchange> exchange, Source source)
      : after_(std::move(after)), exchange_(std::move(exchange)), source_(std::move(source)) {}

  void start();
  // Whether the request waits (or waits again), or was granted.
  void set_waiting(bool waiting);
  // No more of them. Also lets go of the exchange and the source.
  void stop();

 private:
  void schedule(Duration delay);
  void beat();

  After after_;
  std::shared_ptr<net::Exchange> exchange_;
  Source source_;
  bool waiting_ = true;
  int silent_beats_ = 0;  // since it was granted
};

}  // namespace hf::api
