#include "api/service.h"

#include <algorithm>
#include <utility>

#include "api/admin.h"
#include "api/errors.h"
#include "api/headed_exchange.h"
#include "api/home.h"
#include "api/model_request.h"
#include "api/ollama_reads.h"
#include "api/ollama_request.h"
#include "api/routes.h"
#include "api/text.h"
#include "api/transport_errors.h"
#include "api/views.h"
#include "net/request_id.h"

namespace hf::api {
namespace {

// Commands have no body that anybody reads.
constexpr std::uint64_t kCommandBodyLimit = 64 * 1024;

bool open_to_all(Endpoint endpoint) {
  return endpoint == Endpoint::Health || endpoint == Endpoint::Live || endpoint == Endpoint::Home;
}

ApiError key_needed() {
  ApiError error = bad_request("invalid_api_key", "a valid API key is needed");
  error.status = 401;
  error.hint = "send it as Authorization: Bearer KEY or x-api-key: KEY";
  return error;
}

tl::expected<Route, ApiError> route_of(const net::RequestHead& head) {
  return net::wants_upgrade(head) ? find_upgrade_route(head.method, head.path)
                                  : find_route(head.method, head.path);
}

bool goes_to_a_model(const net::RequestHead& head) {
  const auto route = route_of(head);
  return route &&
         (route->endpoint == Endpoint::Proxied || route->endpoint == Endpoint::OllamaRequest);
}

Detail detail_for(const Caller& caller) {
  if (!caller.known) {
    return Detail::StatusOnly;
  }
  switch (caller.role) {
    case config::Role::User:
      break;
    case config::Role::Operator:
      return Detail::Operator;
    case config::Role::Admin:
      return Detail::Admin;
  }
  return Detail::User;
}

}  // namespace

Service::Service(engine::Engine& engine, std::shared_ptr<const config::Config> config, After after)
    : context_{engine, config, std::move(after)}, access_(*config), site_(*config) {
  use_people(*config);
}

void Service::use(std::shared_ptr<const config::Config> config) {
  use_people(*config);
  context_.config = std::move(config);
}

void Service::use_people(const config::Config& config) {
  access_.use(config);
  site_.use(config);
  for (const auto& [name, user] : access_.users()) {
    context_.engine.name_user(user, name);
  }
}

std::optional<net::Reply> Service::check_head(const net::RequestHead& head) {
  std::optional<net::Reply> reply = refusal_of(head);
  if (reply) {
    append(reply->headers, site_.headers(head));
  }
  return reply;
}

// Whoever has no key gets the same answer for every path, whether there is something or not.
std::optional<net::Reply> Service::refusal_of(const net::RequestHead& head) const {
  const auto refused = [&head](const ApiError& error) {
    return error_reply(error, dialect_of(head.path), net::request_id_of(head));
  };
  if (const std::optional<ApiError> wrong_site = site_.check(head)) {
    return refused(*wrong_site);
  }
  if (std::optional<net::Reply> leave = site_.preflight(head)) {
    leave->headers.push_back({"x-request-id", net::request_id_of(head)});
    return leave;
  }
  const auto route = route_of(head);
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
  return goes_to_a_model(head) ? static_cast<std::uint64_t>(context_.config->body_limit.count)
                               : kCommandBodyLimit;
}

// Sixteen of the largest with the default body_limit.
std::uint64_t Service::bodies_limit() const {
  constexpr std::uint64_t kAtLeast = std::uint64_t{1} << 30;
  constexpr std::uint64_t kLargestOnes = 4;
  const auto largest = static_cast<std::uint64_t>(context_.config->body_limit.count);
  return std::max(kAtLeast, kLargestOnes * largest);
}

net::Reply Service::too_large(const net::RequestHead& head, std::uint64_t limit) {
  const ApiError error = body_too_large(limit, goes_to_a_model(head) ? "body_limit" : "");
  net::Reply reply = error_reply(error, dialect_of(head.path), net::request_id_of(head));
  append(reply.headers, site_.headers(head));
  return reply;
}

net::Reply Service::unfit(net::Unfit reason, const net::RequestHead* head, std::string_view why) {
  const ApiError error = from_unfit(reason, why);
  net::Reply reply;
  if (head == nullptr) {
    reply = error_reply(error, Dialect::OpenAi, net::new_request_id());
  } else {
    reply = error_reply(error, dialect_of(head->path), net::request_id_of(*head));
    append(reply.headers, site_.headers(*head));
  }
  reply.close = true;
  return reply;
}

void Service::handle(std::shared_ptr<net::Exchange> exchange) {
  std::vector<net::Header> headers = site_.headers(exchange->head());
  exchange = with_headers(std::move(exchange), std::move(headers));
  const net::RequestHead& head = exchange->head();
  Call call;
  call.caller = access_.identify(head);
  call.dialect = dialect_of(head.path);
  call.request_id = net::request_id_of(head);
  const auto route = route_of(head);
  call.exchange = std::move(exchange);
  if (!route) {
    return call.refuse(route.error());
  }
  if (!call.caller.known && !open_to_all(route->endpoint)) {
    return call.refuse(key_needed());  // a reload took the key away while the body came
  }
  if (route->endpoint == Endpoint::Proxied) {
    call.lists_are_tasks = route->lists_are_tasks;
    call.takes_forms = route->takes_forms;
    call.upgrades = route->upgrades;
    call.streams = route->streams;
    call.use = route->use;
    return ModelRequest::start(context_, std::move(call));
  }
  if (route->endpoint == Endpoint::OllamaRequest) {
    return start_ollama_request(context_, std::move(call), route->ollama);
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
    case Endpoint::Home:
      return call.exchange->reply(home_reply(call.exchange->head(), call.request_id));
    case Endpoint::OllamaTags:
    case Endpoint::OllamaProcesses:
    case Endpoint::OllamaShow:
    case Endpoint::OllamaVersion:
      return answer_ollama_view(context_, call, route);
    case Endpoint::OllamaRequest:
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
