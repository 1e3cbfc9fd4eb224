#include "api/context.h"

#include <memory>
#include <utility>

namespace hf::api {
namespace {

constexpr Duration kEndOfAnswer = std::chrono::milliseconds(100);

}  // namespace

void count_call(Context& context, Call call, std::function<void(Call)> next) {
  if (!count_in(context.active, call.caller, call.counted)) {
    return next(std::move(call));
  }
  const auto gone = std::make_shared<bool>(false);
  call.exchange->on_disconnect([gone] { *gone = true; });
  context.after(kEndOfAnswer, [&context, gone, call = std::move(call), next = std::move(next)] {
    if (*gone) {
      return;
    }
    Call counted = call;
    if (const auto over_limit = count_in(context.active, counted.caller, counted.counted)) {
      return counted.refuse(*over_limit);
    }
    next(std::move(counted));
  });
}

void do_beside_loop(Context& context, const Call& call, std::size_t bytes,
                    std::function<void()> work, std::function<void()> done) {
  engine::SideJob job;
  job.user = call.caller.user;
  job.bytes = bytes;
  job.work = std::move(work);
  job.done = std::move(done);
  const auto id = context.engine.beside_loop(std::move(job));
  if (!id) {
    return call.refuse(too_much_to_read());
  }
  call.exchange->on_disconnect([&engine = context.engine, id = *id] { engine.give_up(id); });
}

net::Reply json_reply(int status, std::string json, const std::string& request_id) {
  net::Reply reply;
  reply.status = status;
  reply.body = std::move(json);
  reply.body += '\n';  // kind to terminals
  reply.headers.push_back(net::Header{"x-request-id", request_id});
  return reply;
}

std::string Call::who() const {
  return caller.name.empty() ? exchange->head().peer : caller.name;
}

void Call::answer(int status, std::string json) const {
  exchange->reply(json_reply(status, std::move(json), request_id));
}

void Call::refuse(const ApiError& error) const {
  exchange->reply(error_reply(error, dialect, request_id));
}

}  // namespace hf::api
