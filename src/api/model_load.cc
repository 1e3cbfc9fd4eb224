#include "api/model_load.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "api/heartbeat.h"
#include "api/json_values.h"
#include "api/waits.h"

namespace hf::api {
namespace {

// The engine's callback keeps it; the client's and the heartbeats only borrow it.
struct PendingLoad {
  Call call;
  LoadWish wish;
  std::string model;
  OnLoaded on_loaded;
  std::shared_ptr<Heartbeats> heartbeats{};  // null: none
  TicketId ticket{};
  bool done = false;

  // False: it was over already.
  bool end() {
    if (heartbeats) {
      heartbeats->stop();
    }
    return !std::exchange(done, true);
  }
  void refuse(const engine::Refusal& refusal) const {
    const ApiError error = from_refusal(refusal, model);
    if (!call.exchange->stream_started()) {
      net::Reply reply = error_reply(error, call.dialect, call.request_id);
      add_served_headers(model, refusal.waited, reply.headers);
      return call.exchange->reply(std::move(reply));
    }
    call.exchange->break_stream(stream_error_event(error, call.dialect, wish.stream_type));
  }
};

void begin_heartbeats(Context& context, PendingLoad& load) {
  if (!load.wish.heartbeat || !wants_heartbeats(load.call.exchange->head())) {
    return;
  }
  Heartbeats::Source source;
  source.head = [&engine = context.engine, &load] {
    net::StreamHead head;
    head.content_type = load.wish.stream_type;
    head.headers = {{"x-holdfast-model", load.model}, {"x-request-id", load.call.request_id}};
    if (const auto wait = engine.wait_of(load.ticket)) {
      const std::int64_t waited_ms = millis_of(wait->promise.ticket.waited);
      head.headers.push_back({"x-holdfast-waited-ms", std::to_string(waited_ms)});
      add_promise_headers(wait->promise, head.headers);
    }
    return head;
  };
  source.text = [&engine = context.engine, &load] {
    return load.wish.heartbeat(progress_object(engine.wait_of(load.ticket)));
  };
  load.heartbeats =
      std::make_shared<Heartbeats>(context.after, load.call.exchange, std::move(source));
  load.heartbeats->start();
}

void load_counted(Context& context, Call call, LoadWish wish, OnLoaded on_loaded) {
  const auto pending = std::make_shared<PendingLoad>();
  const ModelId model = wish.model;
  pending->model = context.engine.name_of(model);
  pending->wish = std::move(wish);
  pending->call = std::move(call);
  pending->on_loaded = std::move(on_loaded);
  const UserId user = pending->call.caller.user;
  context.recent_use->note(model, user, use_time());
  pending->call.exchange->on_disconnect(
      [weak = std::weak_ptr<PendingLoad>(pending), &engine = context.engine] {
        const std::shared_ptr<PendingLoad> waiting = weak.lock();
        if (waiting && waiting->end()) {
          engine.cancel(waiting->ticket);
        }
      });
  begin_heartbeats(context, *pending);
  pending->ticket = context.engine.load(
      model, user, pending->wish.is_told ? std::string() : pending->call.who(),
      [pending, uses = context.recent_use, model, user](const engine::Outcome& outcome) {
        uses->note(model, user, use_time());
        if (!pending->end()) {
          return;
        }
        if (!outcome) {
          return pending->refuse(outcome.error());
        }
        pending->on_loaded(pending->call, *outcome);
      });
}

}  // namespace

void load_model(Context& context, Call call, LoadWish wish, OnLoaded on_loaded) {
  count_call(context, std::move(call),
             [&context, wish = std::move(wish), on_loaded = std::move(on_loaded)](Call counted) {
               load_counted(context, std::move(counted), wish, on_loaded);
             });
}

}  // namespace hf::api
