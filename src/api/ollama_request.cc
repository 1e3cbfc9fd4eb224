#include "api/ollama_request.h"

#include <boost/json/serialize.hpp>
#include <utility>

#include "api/body_look.h"
#include "api/fitness.h"
#include "api/model_load.h"
#include "api/model_request.h"
#include "api/ollama_translation.h"
#include "api/transport_errors.h"
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
constexpr std::string_view kStays =
    "the model is not unloaded: it is in use or pinned, others used it lately, or you did not";

ApiError from_fault(const ollama::Fault& fault) {
  ApiError error = bad_request("invalid_request", fault.message);
  error.param = fault.param;
  error.hint = fault.hint;
  return error;
}

// A load or an unload, which has no answer of a model.
struct Served {
  std::string model;  // its canonical name
  Duration waited{};
};

void answer_done(const Call& call, const ollama::AnswerPlan& plan, std::string_view reason,
                 const Served& served) {
  std::string object = ollama::done_object(plan, reason, ollama::system_clock());
  if (call.exchange->stream_started()) {
    return call.exchange->end_stream(std::move(object) + "\n");
  }
  net::Reply reply = json_reply(200, std::move(object), call.request_id);
  add_served_headers(served.model, served.waited, reply.headers);
  if (!plan.warning.empty()) {
    reply.headers.push_back(net::Header{"x-holdfast-warning", plan.warning});
  }
  call.exchange->reply(std::move(reply));
}

void load(Context& context, Call call, ModelId model, ollama::AnswerPlan plan) {
  LoadWish wish;
  wish.model = model;
  if (plan.streams) {
    wish.stream_type = kOllamaLines;
    wish.heartbeat = [endpoint = plan.endpoint, name = plan.model](const auto& progress) {
      return ollama::waiting_line(endpoint, name, boost::json::serialize(progress),
                                  ollama::system_clock());
    };
  }
  load_model(context, std::move(call), std::move(wish),
             [plan = std::move(plan), name = context.engine.name_of(model)](
                 const Call& asked, const engine::Granted& granted) {
               answer_done(asked, plan, "load", Served{name, granted.waited});
             });
}

void unload(Context& context, const Call& call, ModelId model, ollama::AnswerPlan plan) {
  const bool allowed = may_let_go(*context.recent_use, call.caller, model, use_time());
  const Served served{context.engine.name_of(model), Duration::zero()};
  const auto answer = [call, plan = std::move(plan), served](bool gone) {
    ollama::AnswerPlan told = plan;
    if (!gone) {
      told.warning.append(told.warning.empty() ? "" : "; ").append(kStays);
    }
    answer_done(call, told, "unload", served);
  };
  context.engine.let_go(model, allowed, call.who(), answer);
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
    return unload(context, call, model, std::move(request.plan));
  }
  call.streams = request.plan.streams;
  call.model = model;
  call.translation = translate_ollama(context, call, model, std::move(request));
  ModelRequest::start(context, std::move(call));
}

// Pictures make a request large, and reading and writing it again takes 6 ms for each MB. It counts
// from now on, and if its client leaves before its turn, its body goes at once.
void read_beside_loop(Context& context, const Call& call, ModelId model, Reading reading) {
  const auto shared = std::make_shared<Reading>(std::move(reading));
  shared->error = from_unfit(net::Unfit::NoMemory, "");  // unless it is read
  do_beside_loop(
      context, call, shared->body.size(), [shared] { read(*shared); },
      [&context, shared, call, model] { go_on(context, call, model, *shared); });
}

// `name`: of the model that it asks for.
void translate(Context& context, Call call, ollama::Endpoint endpoint, const std::string& name) {
  const auto model = context.engine.resolve(name);
  if (!model) {
    return call.refuse(unknown_model(model.error()));
  }
  const std::string_view text = call.exchange->body();
  Reading reading{endpoint,
                  text,
                  name,
                  ollama_facts(context.engine, *model),
                  context.engine.abilities_of(*model),
                  context.config};
  if (text.size() > kQuickBytes) {
    return count_call(
        context, std::move(call),
        [&context, model = *model, reading = std::move(reading)](const Call& counted) {
          read_beside_loop(context, counted, model, reading);
        });
  }
  read(reading);
  go_on(context, std::move(call), *model, reading);
}

}  // namespace

void start_ollama_request(Context& context, Call call, ollama::Endpoint endpoint) {
  const net::BodyRules rules{.model_required = !context.config->default_model,
                             .lists_are_tasks = endpoint == ollama::Endpoint::Embed};
  look_at_body(
      context, std::move(call),
      [rules](std::string_view body) { return net::read_body_fields(body, rules); },
      [&context, endpoint](Call looked, const net::BodyResult& body) {
        if (!body.fields) {
          return looked.refuse(from_body_fault(body.fault, body.detail, body.field));
        }
        const std::string& named = body.fields->model;
        translate(context, std::move(looked), endpoint,
                  named.empty() ? context.config->default_model.value_or("") : named);
      });
}

}  // namespace hf::api
