#include "api/model_load.h"

#include <memory>
#include <utility>

namespace hf::api {
namespace {

// The engine's callback keeps it; the client's only borrows it.
struct PendingLoad {
  Call call;
  std::string model;
  OnLoaded on_loaded;
  TicketId ticket{};
  bool done = false;
};

}  // namespace

void load_model(Context& context, Call call, LoadWish wish, OnLoaded on_loaded) {
  if (const auto over_limit = count_in(context.active, call.caller, call.counted)) {
    return call.refuse(*over_limit);
  }
  const auto pending = std::make_shared<PendingLoad>();
  pending->model = context.engine.name_of(wish.model);
  pending->call = std::move(call);
  pending->on_loaded = std::move(on_loaded);
  const UserId user = pending->call.caller.user;
  context.recent_use->note(wish.model, user, use_time());
  pending->call.exchange->on_disconnect(
      [weak = std::weak_ptr<PendingLoad>(pending), &engine = context.engine] {
        const std::shared_ptr<PendingLoad> waiting = weak.lock();
        if (waiting && !std::exchange(waiting->done, true)) {
          engine.cancel(waiting->ticket);
        }
      });
  pending->ticket = context.engine.load(
      wish.model, user, wish.is_told ? std::string() : pending->call.who(),
      [pending, uses = context.recent_use, wish, user](const engine::Outcome& outcome) {
        uses->note(wish.model, user, use_time());
        if (std::exchange(pending->done, true)) {
          return;
        }
        if (!outcome) {
          return pending->call.refuse(from_refusal(outcome.error(), pending->model));
        }
        pending->on_loaded(pending->call, *outcome);
      });
}

}  // namespace hf::api
