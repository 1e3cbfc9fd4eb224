#include "api/asked_model.h"

#include <string>
#include <utility>

#include "api/fitness.h"
#include "net/json_model.h"
#include "net/multipart.h"

namespace hf::api {
namespace {

bool sends_form(const Call& call) {
  return call.takes_forms && net::is_form(call.exchange->head().header("content-type"));
}

net::BodyResult read_body(const Call& call, bool model_required) {
  const net::Exchange& exchange = *call.exchange;
  if (call.upgrades) {
    net::BodyResult none;
    none.fault = net::BodyFault::NoModel;
    none.detail = "the query has no model";
    if (!model_required) {
      none.fields.emplace();
    }
    return none;
  }
  if (sends_form(call)) {
    const std::string_view type = exchange.head().header("content-type");
    return net::read_form_fields(type, exchange.body(), model_required);
  }
  const net::BodyRules rules{.model_required = model_required,
                             .lists_are_tasks = call.lists_are_tasks};
  return net::read_body_fields(exchange.body(), rules);
}

ApiError two_names() {
  ApiError error = bad_request("model_ambiguous", "the body and the query name different models");
  error.param = "model";
  error.hint = "leave out ?model=, or name the same one";
  return error;
}

}  // namespace

tl::expected<Asked, ApiError> asked_of(const Context& context, const Call& call) {
  const std::string by_query =
      query_value(call.exchange->head().query, "model").value_or(std::string());
  const std::string by_default = context.config->default_model.value_or(std::string());
  const net::BodyResult body = read_body(call, by_query.empty() && by_default.empty());
  if (!body.fields) {
    return tl::unexpected(from_body_fault(body.fault, body.detail, body.field));
  }
  const std::string& by_body = body.fields->model;
  const std::string& name = !by_body.empty() ? by_body : !by_query.empty() ? by_query : by_default;
  const auto found = context.engine.resolve(name);
  if (!by_body.empty() && !by_query.empty() && by_body != by_query) {
    // Two names of one model are no contradiction.
    const auto other = context.engine.resolve(by_query);
    if (!found || !other || *found != *other) {
      return tl::unexpected(two_names());
    }
  }
  if (!found) {
    return tl::unexpected(unknown_model(found.error()));
  }
  const net::MediaFacts& media = body.fields->media;
  if (std::optional<ApiError> refused = unacceptable(media, *context.config)) {
    return tl::unexpected(std::move(*refused));
  }
  if (std::optional<ApiError> refused = unsuited(context.engine.abilities_of(*found), call.use,
                                                 media, context.engine.name_of(*found))) {
    return tl::unexpected(std::move(*refused));
  }
  return Asked{*found, body.fields->stream};
}

std::optional<net::UpstreamRequest> form_as_sent(const Call& call) {
  if (!sends_form(call)) {
    return std::nullopt;
  }
  const net::RequestHead& head = call.exchange->head();
  net::UpstreamRequest request;
  request.method = head.method;
  request.target = head.target;
  request.content_type = head.header("content-type");
  return request;
}

}  // namespace hf::api
