#include "api/service.h"

#include <utility>

#include "api/admin.h"
#include "api/errors.h"
#include "api/model_request.h"
#include "api/routes.h"
#include "api/text.h"
#include "api/views.h"
#include "net/request_id.h"

namespace hf::api {
namespace {

// Commands have no body that anybody reads.
constexpr std::uint64_t kCommandBodyLimit = 64 * 1024;

constexpr std::string_view kHome =
    "Holdfast: many language models, one machine.\n"
    "\n"
    "For OpenAI and Anthropic clients (base URL: this address, with /v1 for OpenAI's)\n"
    "  POST /v1/chat/completions  /v1/completions  /v1/embeddings  /v1/responses  /v1/rerank\n"
    "  POST /v1/messages  /v1/messages/count_tokens\n"
    "  GET  /v1/models\n"
    "\n"
    "State\n"
    "  GET  /health  /health/live\n"
    "  GET  /api/v1/models\n"
    "  GET  /api/v1/explain?model=NAME\n"
    "\n"
    "Commands (also: holdfast --help)\n"
    "  POST /api/v1/models/NAME/load  NAME/unload  NAME/pin  NAME/unpin\n"
    "  POST /api/v1/cleanup?level=normal|emergency\n"
    "  POST /api/v1/reload\n";

bool open_to_all(Endpoint endpoint) {
  return endpoint == Endpoint::Health || endpoint == Endpoint::Live || endpoint == Endpoint::Home;
}

ApiError key_needed() {
  ApiError error = bad_request("invalid_api_key", "a valid API key is needed");
  error.status = 401;
  error.hint = "send it as Authorization: Bearer KEY";
  return error;
}

Detail detail_for(const Caller& caller) {
  if (!caller.known) {
    return Detail::StatusOnly;
  }
  return caller.admin ? Detail::Admin : Detail::User;
}

}  // namespace

Service::Service(engine::Engine& engine, std::shared_ptr<const config::Config> config, After after)
    : context_{engine, config, std::move(after)}, access_(*config) {}

void Service::use(std::shared_ptr<const config::Config> config) {
  access_.use(*config);
  context_.config = std::move(config);
}

std::optional<net::Reply> Service::check_head(const net::RequestHead& head) {
  const auto refused = [&head](const ApiError& error) {
    return error_reply(error, dialect_of(head.path), net::request_id_of(head));
  };
  if (const std::optional<ApiError> wrong_site = access_.check_site(head)) {
    return refused(*wrong_site);
  }
  const auto route = find_route(head.method, head.path);
  const bool open = route && open_to_all(route->endpoint);
  if (!open && !access_.identify(head).known) {
    return refused(key_needed());
  }
  if (!route) {
    return refused(route.error());
  }
  return std::nullopt;
}

std::uint64_t Service::body_limit(const net::RequestHead& head) const {
  const auto route = find_route(head.method, head.path);
  const bool proxied = route && route->endpoint == Endpoint::Proxied;
  return proxied ? static_cast<std::uint64_t>(context_.config->body_limit.count)
                 : kCommandBodyLimit;
}

net::Reply Service::too_large(const net::RequestHead& head, std::uint64_t limit) {
  return error_reply(body_too_large(limit), dialect_of(head.path), net::request_id_of(head));
}

net::Reply Service::malformed(std::string_view why) {
  const ApiError error =
      bad_request("malformed_request", "not an acceptable HTTP request: " + std::string(why));
  net::Reply reply = error_reply(error, Dialect::OpenAi, net::new_request_id());
  reply.close = true;
  return reply;
}

void Service::handle(std::shared_ptr<net::Exchange> exchange) {
  const net::RequestHead& head = exchange->head();
  Call call;
  call.caller = access_.identify(head);
  call.dialect = dialect_of(head.path);
  call.request_id = net::request_id_of(head);
  const auto route = find_route(head.method, head.path);
  call.exchange = std::move(exchange);
  if (!route) {
    return call.refuse(route.error());
  }
  if (!call.caller.known && !open_to_all(route->endpoint)) {
    return call.refuse(key_needed());  // a reload took the key away while the body came
  }
  if (route->endpoint == Endpoint::Proxied) {
    call.lists_are_tasks = route->lists_are_tasks;
    call.streams = route->streams;
    call.use = route->use;
    return ModelRequest::start(context_, std::move(call));
  }
  if (route->endpoint == Endpoint::AdminCommand || route->endpoint == Endpoint::Cleanup ||
      route->endpoint == Endpoint::Reload) {
    return run_command(context_, std::move(call), *route);
  }
  answer_view(call, *route);
}

void Service::answer_view(const Call& call, const Route& route) {
  const Detail detail = detail_for(call.caller);
  switch (route.endpoint) {
    case Endpoint::Live:
      return call.answer(200, R"({"status":"ok"})");
    case Endpoint::Health: {
      const engine::Status status = context_.engine.status();
      return call.answer(health_http_status(status), health_json(status, detail));
    }
    case Endpoint::ModelList:
      return call.answer(200, model_list_json(context_.engine.status()));
    case Endpoint::AdminModels:
      return call.answer(200, admin_models_json(context_.engine.status(), detail));
    case Endpoint::ModelInfo:
      return answer_model(call, route, route.model);
    case Endpoint::Explain: {
      const std::optional<std::string> name = query_value(call.exchange->head().query, "model");
      if (!name || name->empty()) {
        ApiError error = bad_request("missing_parameter", "say which model: ?model=NAME");
        error.param = "model";
        return call.refuse(error);
      }
      return answer_model(call, route, *name);
    }
    case Endpoint::Home: {
      net::Reply reply = json_reply(200, std::string(kHome), call.request_id);
      reply.content_type = "text/plain; charset=utf-8";
      return call.exchange->reply(std::move(reply));
    }
    case Endpoint::Proxied:
    case Endpoint::AdminCommand:
    case Endpoint::Cleanup:
    case Endpoint::Reload:
      break;  // handled elsewhere
  }
}

void Service::answer_model(const Call& call, const Route& route, const std::string& name) {
  const auto model = context_.engine.resolve(name);
  if (!model) {
    return call.refuse(unknown_model(model.error()));
  }
  const engine::Status status = context_.engine.status();
  std::optional<std::string> json = route.endpoint == Endpoint::Explain
                                        ? explain_json(status, *model, detail_for(call.caller),
                                                       context_.engine.decisions_about(*model),
                                                       context_.engine.tickets_of(*model))
                                        : model_info_json(status, *model);
  if (json) {
    return call.answer(200, std::move(*json));
  }
  engine::NotFound gone;
  gone.asked = name;
  call.refuse(unknown_model(gone));
}

}  // namespace hf::api
