#include "api/errors.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "api/text.h"
#include "base/assert.h"
#include "base/units.h"

namespace hf::api {
namespace {

namespace json = boost::json;
using core::Why;

constexpr Duration kSoon = std::chrono::seconds(1);
// What waits to be read at most is read by then.
constexpr Duration kReadingTime = std::chrono::seconds(3);
constexpr std::string_view kNoModel = "there is no model ";
constexpr const char* kWhereNames = "GET /v1/models lists the names";
constexpr const char* kWhereOllamaNames = "GET /api/tags lists the names";

std::string_view openai_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 429:
      return "rate_limit_error";
    case 503:
      return "unavailable_error";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

std::string_view anthropic_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

std::string in_quotes(std::string_view name) {
  return "\"" + std::string(name) + "\"";
}

void add_extras(json::object& object, const ApiError& error) {
  if (!error.hint.empty()) {
    object["hint"] = error.hint;
  }
  if (error.retry_after > Duration::zero()) {
    object["retry_after_s"] = retry_after_s(error.retry_after);
  }
  for (const auto& [name, number] : error.numbers) {
    object[name] = number;
  }
}

json::object openai_object(const ApiError& error) {
  json::object inner;
  inner["message"] = error.message;
  inner["type"] = openai_type(error.status);
  inner["code"] = error.code;
  inner["param"] = error.param.empty() ? json::value(nullptr) : json::value(error.param);
  add_extras(inner, error);
  return {{"error", std::move(inner)}};
}

json::object anthropic_object(const ApiError& error) {
  json::object inner;
  inner["type"] = anthropic_type(error.status);
  inner["message"] = error.message;
  inner["code"] = error.code;
  add_extras(inner, error);
  return {{"type", "error"}, {"error", std::move(inner)}};
}

// Ollama's clients show the sentence and nothing else, so the next step is part of it; some look
// for the words by which Ollama says that it has no such model.
std::string ollama_message(const ApiError& error) {
  std::string message = error.message;
  if (message.starts_with(kNoModel)) {
    message.replace(0, kNoModel.size(), "model ");
    const std::size_t name_end = message.find("\"", message.find('"') + 1);
    message.insert(std::min(message.size(), name_end + 1), " not found");
  }
  return error.hint.empty() ? message : message + " (" + error.hint + ")";
}

json::object ollama_object(ApiError error) {
  if (error.hint == kWhereNames) {
    error.hint = kWhereOllamaNames;
  }
  json::object object{{"error", ollama_message(error)}, {"code", error.code}};
  if (!error.param.empty()) {
    object["param"] = error.param;
  }
  add_extras(object, error);
  return object;
}

json::object object_of(const ApiError& error, Dialect dialect) {
  switch (dialect) {
    case Dialect::OpenAi:
      break;
    case Dialect::Anthropic:
      return anthropic_object(error);
    case Dialect::Ollama:
      return ollama_object(error);
  }
  return openai_object(error);
}

void add_header(net::Reply& reply, std::string name, std::string value) {
  reply.headers.push_back(net::Header{std::move(name), std::move(value)});
}

ApiError make(int status, std::string_view code, std::string message) {
  ApiError error;
  error.status = status;
  error.code = code;
  error.message = std::move(message);
  return error;
}

// Where a refusal must say when to come back although the core did not.
Duration at_least_soon(Duration after) {
  return std::max(after, kSoon);
}

std::vector<std::pair<std::string, std::int64_t>> numbers_of(const core::Reason& reason) {
  return {{"needed_bytes", reason.need.count}, {"available_bytes", reason.have.count}};
}

ApiError never_fits(const core::Reason& reason, const std::string& name, const std::string& hint) {
  ApiError error =
      make(422, "never_fits",
           "model " + name + " needs " + format_bytes(reason.need) + ", and at most " +
               format_bytes(reason.have) + " can be given; nothing was unloaded for it");
  error.param = "model";
  error.hint = hint.empty()
                   ? "use a smaller model, context or number of slots, or a larger memory budget"
                   : hint;
  error.numbers = numbers_of(reason);
  return error;
}

// A stock sentence and, where the engine has something to add for the client, that as well:
// `detail` says why, without the model's name.
std::string with_detail(std::string sentence, const std::string& detail) {
  return detail.empty() ? sentence : sentence + ": " + detail;
}

ApiError bad_body(const char* code, const char* message, const char* param = "",
                  std::string hint = {}) {
  ApiError error = make(400, code, message);
  error.param = param;
  error.hint = std::move(hint);
  return error;
}

ApiError of_body(net::BodyFault fault) {
  switch (fault) {
    case net::BodyFault::NotJson:
      break;
    case net::BodyFault::NotObject:
      return bad_body("not_an_object", "the body must be a JSON object");
    case net::BodyFault::NoModel:
      return bad_body("model_missing", "the body has no \"model\"", "model", kWhereNames);
    case net::BodyFault::TwoModels:
      return bad_body("model_ambiguous", "the body has more than one \"model\"", "model");
    case net::BodyFault::ModelNotString:
      return bad_body("model_not_a_string", "\"model\" must be a string", "model");
    case net::BodyFault::EmptyModel:
      return bad_body("model_empty", "\"model\" is empty", "model", kWhereNames);
    case net::BodyFault::TooManyProbabilities:
      return bad_body("too_many_probabilities", "too many probabilities were asked for",
                      "top_logprobs", "ask for at most " + std::to_string(net::kProbabilitiesMax));
    case net::BodyFault::TooManyPrompts:
      return bad_body("too_many_prompts", "too many prompts in one request", "",
                      "send them in several requests");
    case net::BodyFault::TooMuchRepeated:
      return bad_body("prompts_too_large", "too much comes with each prompt", "",
                      "send fewer prompts, texts or documents in one request");
    case net::BodyFault::NotForm:
      return bad_body("invalid_form", "the body is not a valid form");
    case net::BodyFault::TooManyParts:
      return bad_body("body_too_complex", "the body has too many parts", "",
                      "send less in one request");
    case net::BodyFault::WindowTooLarge:
      return bad_body("window_too_large", "too many tokens would be looked back at", "",
                      "send at most " + std::to_string(net::kWindowMax) +
                          "; more than the model's context has no effect");
    case net::BodyFault::SchemaTooLarge:
      return bad_body("body_too_complex", "a JSON schema or grammar is too complex", "",
                      "give objects fewer properties, lists fewer choices and texts smaller "
                      "lengths, or split the schema over several requests");
  }
  return bad_body("invalid_json", "the body is not valid JSON");
}

}  // namespace

std::int64_t retry_after_s(Duration after) {
  HF_ASSERT(after > Duration::zero(), "no time to come back");
  const auto whole = std::chrono::ceil<std::chrono::seconds>(after).count();
  return std::max<std::int64_t>(1, whole);
}

std::string error_body(const ApiError& error, Dialect dialect, std::string_view request_id) {
  json::object object = object_of(error, dialect);
  if (dialect == Dialect::Anthropic && !request_id.empty()) {
    object["request_id"] = request_id;
  }
  return json::serialize(object);
}

net::Reply error_reply(const ApiError& error, Dialect dialect, std::string_view request_id) {
  net::Reply reply;
  reply.status = error.status;
  reply.body = error_body(error, dialect, request_id);
  reply.close = error.status == 413;
  add_header(reply, "x-request-id", std::string(request_id));
  if (error.retry_after > Duration::zero()) {
    add_header(reply, "Retry-After", std::to_string(retry_after_s(error.retry_after)));
  } else if (error.status == 409 || error.status == 501) {
    // SDKs repeat these by themselves unless told not to.
    add_header(reply, "x-should-retry", "false");
  }
  if (!error.allow.empty()) {
    add_header(reply, "Allow", error.allow);
  }
  if (error.status == 401) {
    add_header(reply, "WWW-Authenticate", "Bearer");
  }
  return reply;
}

std::string stream_error_event(const ApiError& error, Dialect dialect,
                               std::string_view content_type) {
  const std::string text = json::serialize(object_of(error, dialect));
  if (!content_type.starts_with("text/event-stream")) {
    return text + "\n";
  }
  const std::string data = "data: " + text + "\n\n";
  return dialect == Dialect::Anthropic ? "event: error\n" + data : data;
}

ApiError from_refusal(const engine::Refusal& refusal, std::string_view model) {
  const std::string name = in_quotes(model);
  const Why why = refusal.reason.why;
  ApiError error = make(503, core::name_of(why), {});
  error.retry_after = at_least_soon(refusal.retry_after);
  if (why == Why::NeverFits) {
    return never_fits(refusal.reason, name, refusal.hint);
  }
  if (why == Why::ModelBroken) {
    error = make(422, "model_broken",
                 with_detail("model " + name + " cannot be served", refusal.message));
    error.param = "model";
    error.hint = refusal.hint;
  } else if (why == Why::ModelGone) {
    error = make(404, "model_not_found", "model " + name + " is no longer offered");
    error.param = "model";
    error.hint = kWhereNames;
  } else if (why == Why::UserLimit) {
    error.status = 429;
    error.message =
        "the queue of model " + name + " is full and you have the most requests waiting in it";
    error.hint = "wait for answers to some of them, then try again";
  } else if (why == Why::CardTaken) {
    error.message = with_detail("model " + name + " cannot be served now", refusal.message);
    error.hint = refusal.hint;
    error.numbers = numbers_of(refusal.reason);
  } else if (why == Why::QueueFull) {
    error.message = "too many requests wait for model " + name;
    error.hint = "try again after Retry-After; an administrator can raise queue.max_waiting";
  } else if (why == Why::ShuttingDown) {
    error.message = "the server is shutting down";
  } else if (why == Why::Forced) {
    error.message = "an administrator stopped model " + name + " while it was loading";
  } else {
    error.message = with_detail("model " + name + " cannot be served now", refusal.message);
    error.hint = refusal.hint;
  }
  return error;
}

ApiError from_cut(const core::Reason& reason, std::string_view model) {
  const std::string name = in_quotes(model);
  ApiError error =
      make(503, core::name_of(reason.why), "the answer of model " + name + " was cut short");
  error.retry_after = kSoon;
  if (reason.why == Why::ChildDied || reason.why == Why::Crashed) {
    return upstream_crashed(model);
  }
  if (reason.why == Why::RequestLimit) {
    error.message = "the answer was cut after " + format_duration(reason.waited) +
                    " because others wait for model memory; the limit is " +
                    format_duration(reason.limit);
  } else if (reason.why == Why::ReaderStalled) {
    error.status = 408;
    error.message = "the answer was cut because its reader took nothing for " +
                    format_duration(reason.waited) + " while others waited";
  } else if (reason.why == Why::DrainDeadline) {
    error.message = "the server shut down before the answer was complete";
  } else if (reason.why == Why::Forced) {
    error.message = "an administrator stopped model " + name;
  }
  return error;
}

ApiError upstream_crashed(std::string_view model) {
  ApiError error =
      make(502, "upstream_crashed",
           "the process that serves model " + in_quotes(model) + " ended unexpectedly");
  error.hint = "try again: the model is loaded anew; the server's log says how its process ended";
  error.retry_after = kSoon;
  return error;
}

ApiError from_body_fault(net::BodyFault fault, std::string_view detail, std::string_view field) {
  ApiError error = of_body(fault);
  if (!field.empty()) {
    error.param = field;
  }
  if (!detail.empty()) {
    error.message = detail;  // a whole sentence, more exact than ours
  }
  return error;
}

ApiError unknown_model(const engine::NotFound& not_found) {
  std::string message = std::string(kNoModel) + in_quotes(presentable(not_found.asked));
  for (std::size_t i = 0; i < not_found.near.size(); ++i) {
    message += (i == 0 ? "; did you mean " : " or ") + in_quotes(not_found.near[i]);
    message += i + 1 == not_found.near.size() ? "?" : "";
  }
  ApiError error = make(404, "model_not_found", std::move(message));
  error.param = "model";
  error.hint = kWhereNames;
  return error;
}

ApiError too_much_to_read() {
  ApiError error = make(503, core::name_of(Why::QueueFull), "too many requests wait to be read");
  error.retry_after = kReadingTime;
  return error;
}

ApiError bad_request(std::string code, std::string message) {
  return make(400, code, std::move(message));
}

}  // namespace hf::api
