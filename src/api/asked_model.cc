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

std::string by_query(const Call& call) {
  return query_value(call.exchange->head().query, "model").value_or(std::string());
}

std::string by_default(const Context& context) {
  return context.config->default_model.value_or(std::string());
}

net::BodyResult without_body(bool model_required) {
  net::BodyResult none;
  none.fault = net::BodyFault::NoModel;
  none.detail = "the query has no model";
  if (!model_required) {
    none.fields.emplace();
  }
  return none;
}

ApiError two_names() {
  ApiError error = bad_request("model_ambiguous", "the body and the query name different models");
  error.param = "model";
  error.hint = "leave out ?model=, or name the same one";
  return error;
}

}  // namespace

ReadBody body_reader(const Context& context, const Call& call) {
  const bool required = by_query(call).empty() && by_default(context).empty();
  if (call.upgrades) {
    return [required](std::string_view) { return without_body(required); };
  }
  if (sends_form(call)) {
    const std::string type(call.exchange->head().header("content-type"));
    return [type, required](std::string_view body) {
      return net::read_form_fields(type, body, required);
    };
  }
  const net::BodyRules rules{.model_required = required, .lists_are_tasks = call.lists_are_tasks};
  return [rules](std::string_view body) { return net::read_body_fields(body, rules); };
}

tl::expected<Asked, ApiError> asked_of(const Context& context, const Call& call,
                                       const net::BodyResult& body) {
  if (!body.fields) {
    return tl::unexpected(from_body_fault(body.fault, body.detail, body.field));
  }
  const std::string in_query = by_query(call);
  const std::string fallback = by_default(context);
  const std::string& by_body = body.fields->model;
  const std::string& name = !by_body.empty() ? by_body : !in_query.empty() ? in_query : fallback;
  const auto found = context.engine.resolve(name);
  if (!by_body.empty() && !in_query.empty() && by_body != in_query) {
    // Two names of one model are no contradiction.
    const auto other = context.engine.resolve(in_query);
    if (!found || !other || *found != *other) {
      return tl::unexpected(two_names());
    }
  }
  if (!found) {
    ApiError error = unknown_model(found.error());
    if (by_body.empty() && in_query.empty()) {
      error.hint =
          "the request names no model, and the server's default_model is not there: name one";
    }
    return tl::unexpected(std::move(error));
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
