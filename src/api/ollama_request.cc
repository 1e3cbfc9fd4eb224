#include "api/ollama_request.h"

#include <utility>

#include "api/fitness.h"
#include "api/model_request.h"
#include "api/ollama_translation.h"
#include "api/waits.h"
#include "net/json_model.h"
#include "ollama/answer_writer.h"

namespace hf::api {
namespace {

using ollama::Work;

// simdjson reads that far behind the end.
constexpr std::size_t kPadding = 64;
// What is read within some two milliseconds.
constexpr std::size_t kQuickBytes = 256U * 1024;
constexpr std::string_view kOthers =
    "the model is not unloaded: it is in use, pinned, or others used it lately";

ApiError from_fault(const ollama::Fault& fault) {
  ApiError error = bad_request("invalid_request", fault.message);
  error.param = fault.param;
  error.hint = fault.hint;
  return error;
}

ApiError no_memory() {
  ApiError error = bad_request("no_memory", "the server has no memory for this request now");
  error.status = 503;
  error.retry_after = std::chrono::seconds(1);
  return error;
}

// What every answer of a model says, here without one.
struct Served {
  std::string model;  // its canonical name
  Duration waited{};
};

void add_headers(const Served& served, net::Reply& reply) {
  reply.headers.push_back(net::Header{"x-holdfast-model", served.model});
  reply.headers.push_back(
      net::Header{"x-holdfast-waited-ms", std::to_string(millis_of(served.waited))});
}

void answer_done(const Call& call, const ollama::AnswerPlan& plan, std::string_view reason,
                 const Served& served) {
  net::Reply reply =
      json_reply(200, ollama::done_object(plan, reason, ollama::system_clock()), call.request_id);
  add_headers(served, reply);
  if (!plan.warning.empty()) {
    reply.headers.push_back(net::Header{"x-holdfast-warning", plan.warning});
  }
  call.exchange->reply(std::move(reply));
}

// A load that waits: answered when the model is ready, given up when the client leaves (a load that
// has begun goes on).
struct PendingLoad {
  Call call;
  ollama::AnswerPlan plan;
  std::string model;
  TicketId ticket{};
  bool done = false;
};

void load(Context& context, Call call, ModelId model, ollama::AnswerPlan plan) {
  const auto pending = std::make_shared<PendingLoad>();
  pending->plan = std::move(plan);
  pending->model = context.engine.name_of(model);
  pending->call = std::move(call);
  context.recent_use->note(model, pending->call.caller.user, use_time());
  pending->call.exchange->on_disconnect(
      [weak = std::weak_ptr<PendingLoad>(pending), &engine = context.engine] {
        const std::shared_ptr<PendingLoad> waiting = weak.lock();
        if (waiting && !std::exchange(waiting->done, true)) {
          engine.cancel(waiting->ticket);
        }
      });
  pending->ticket = context.engine.load(
      model, pending->call.caller.user, [pending](const engine::Outcome& outcome) {
        if (std::exchange(pending->done, true)) {
          return;
        }
        if (!outcome) {
          net::Reply reply = error_reply(from_refusal(outcome.error(), pending->model),
                                         pending->call.dialect, pending->call.request_id);
          add_headers(Served{pending->model, outcome.error().waited}, reply);
          return pending->call.exchange->reply(std::move(reply));
        }
        answer_done(pending->call, pending->plan, "load", Served{pending->model, outcome->waited});
      });
}

void unload(Context& context, Call call, ModelId model, ollama::AnswerPlan plan) {
  const Served served{context.engine.name_of(model), Duration::zero()};
  const auto answer = [call, plan = std::move(plan), served](bool gone) {
    ollama::AnswerPlan told = plan;
    if (!gone) {
      told.warning.append(told.warning.empty() ? "" : "; ").append(kOthers);
    }
    answer_done(call, told, "unload", served);
  };
  if (context.recent_use->by_others(model, call.caller.user, use_time())) {
    return answer(false);
  }
  context.engine.let_go(model, call.who(), answer);
}

// A request while it is read. A plain value that two threads use one after the other.
struct Reading {
  ollama::Endpoint endpoint;
  std::string_view body;  // borrowed from the exchange
  std::string asked;
  ollama::ModelFacts facts;
  engine::Abilities abilities;
  std::shared_ptr<const config::Config> config;
  std::optional<ollama::Request> request{};  // set exactly when there is no error
  ApiError error{};
};

// What the engine will get must be as harmless as what it gets from clients directly.
std::optional<ApiError> check_body(Reading& reading, ollama::Request& request) {
  std::string& body = request.body;
  const std::size_t size = body.size();
  body.resize(size + kPadding);
  const net::BodyRules rules{.model_required = true, .lists_are_tasks = request.lists_are_tasks};
  const net::BodyResult checked = net::read_body_fields(std::string_view(body.data(), size), rules);
  body.resize(size);
  if (!checked.fields) {
    return from_body_fault(checked.fault, checked.detail, checked.field);
  }
  const net::MediaFacts& media = checked.fields->media;
  const bool embeds = request.plan.source == ollama::Source::Vectors;
  if (auto refused = unsuited(reading.abilities, embeds ? Use::Embed : Use::Generate, media,
                              reading.facts.name)) {
    return refused;
  }
  return unacceptable(media, *reading.config);
}

void read(Reading& reading) {
  auto request = ollama::read_request(reading.endpoint, reading.body, reading.asked, reading.facts);
  if (!request) {
    reading.error = from_fault(request.error());
    return;
  }
  if (request->work == Work::Answer) {
    if (auto fault = check_body(reading, *request)) {
      reading.error = std::move(*fault);
      return;
    }
  }
  reading.request = std::move(*request);
}

void go_on(Context& context, Call call, ModelId model, Reading& reading) {
  if (!reading.request) {
    return call.refuse(reading.error);
  }
  ollama::Request& request = *reading.request;
  if (request.work == Work::Load) {
    return load(context, std::move(call), model, std::move(request.plan));
  }
  if (request.work == Work::Unload) {
    return unload(context, std::move(call), model, std::move(request.plan));
  }
  call.streams = request.plan.streams;
  call.model = model;
  call.translation = translate_ollama(context, call, model, std::move(request));
  ModelRequest::start(context, std::move(call));
}

// Pictures make a request large, and reading and writing it again takes 6 ms for each MB.
void read_on_worker(Context& context, Call call, ModelId model, Reading reading) {
  const auto shared = std::make_shared<Reading>(std::move(reading));
  shared->error = no_memory();  // unless it is read
  const auto gone = std::make_shared<bool>(false);
  call.exchange->on_disconnect([gone] { *gone = true; });
  context.engine.on_worker([shared] { read(*shared); },
                           [&context, shared, gone, call = std::move(call), model] {
                             if (!*gone) {
                               go_on(context, call, model, *shared);
                             }
                           });
}

}  // namespace

void start_ollama_request(Context& context, Call call, ollama::Endpoint endpoint) {
  const std::optional<std::string>& fallback = context.config->default_model;
  const net::BodyRules rules{.model_required = !fallback,
                             .lists_are_tasks = endpoint == ollama::Endpoint::Embed};
  const std::string_view text = call.exchange->body();
  const net::BodyResult body = net::read_body_fields(text, rules);
  if (!body.fields) {
    return call.refuse(from_body_fault(body.fault, body.detail, body.field));
  }
  const std::string name = body.fields->model.empty() ? fallback.value_or("") : body.fields->model;
  const auto model = context.engine.resolve(name);
  if (!model) {
    ApiError error = unknown_model(model.error());
    error.hint = "GET /api/tags lists the names";
    return call.refuse(error);
  }
  Reading reading{endpoint,
                  text,
                  name,
                  ollama_facts(context.engine, *model),
                  context.engine.abilities_of(*model),
                  context.config};
  if (text.size() > kQuickBytes) {
    return read_on_worker(context, std::move(call), *model, std::move(reading));
  }
  read(reading);
  go_on(context, std::move(call), *model, reading);
}

}  // namespace hf::api
