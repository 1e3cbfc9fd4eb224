#include "api/upstream_error.h"

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <optional>
#include <string>

#include "api/text.h"

namespace hf::api {
namespace {

namespace json = boost::json;

// Longest sentence of an engine that is passed on.
constexpr std::size_t kMessageMax = 1000;

std::string text_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  const json::string* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string(*text) : std::string();
}

std::optional<std::int64_t> number_of(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  const std::int64_t* number = value != nullptr ? value->if_int64() : nullptr;
  return number != nullptr ? std::optional(*number) : std::nullopt;
}

// What is in {"error": {…}}; empty if the body is something else.
json::object error_object(std::string_view body) {
  json::error_code ec;
  const json::value parsed = json::parse(body, ec);
  const json::object* outer = ec ? nullptr : parsed.if_object();
  const json::value* inner = outer != nullptr ? outer->if_contains("error") : nullptr;
  if (inner != nullptr && inner->is_object()) {
    return inner->get_object();
  }
  if (inner != nullptr && inner->is_string()) {
    return {{"message", inner->get_string()}};
  }
  return outer != nullptr ? *outer : json::object();
}

// A sentence that names what is the machine's only: flags, files.
bool names_machine(std::string_view message) {
  constexpr std::array<std::string_view, 7> kSigns{"`-",     " --",   "'--",         ".gguf",
                                                   "/home/", "/tmp/", "llama-server"};
  for (const std::string_view sign : kSigns) {
    if (message.find(sign) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

// What servers say of a path that they do not know: nothing about the model or the request.
bool says_nothing(std::string_view message) {
  return message.empty() || message == "File Not Found" || message == "Not Found" ||
         message == "Method Not Allowed";
}

std::string default_message(int status, const std::string& name) {
  if (status == 404 || status == 405 || status == 501) {
    return "model " + name + " does not offer this";
  }
  return status >= 500 ? "the server of model " + name + " could not answer this request"
                       : "the server of model " + name + " refused this request";
}

// As each API's own service says it: clients look for these words and codes. LangChain looks for
// the code in the words.
ApiError context_exceeded(const json::object& engine, Dialect dialect) {
  const std::int64_t prompt = number_of(engine, "n_prompt_tokens").value_or(0);
  const std::int64_t context = number_of(engine, "n_ctx").value_or(0);
  ApiError error;
  error.status = 400;
  error.code = "context_length_exceeded";
  const std::string asked = std::to_string(prompt);
  const std::string limit = std::to_string(context);
  const bool counted = prompt > 0 && context > 0;
  if (dialect == Dialect::Anthropic) {
    error.message = counted ? "prompt is too long: " + asked + " tokens > " + limit + " maximum"
                            : "prompt is too long";
  } else {
    error.message = counted ? "This model's maximum context length is " + limit +
                                  " tokens. However, your request has " + asked +
                                  " tokens. Please reduce its length (context_length_exceeded)."
                            : "The request is longer than this model's context length.";
  }
  if (counted) {
    error.numbers = {{"n_prompt_tokens", prompt}, {"n_ctx", context}};
  }
  return error;
}

// Embedding models read an input at one go: what does not fit into that is told as a server's
// fault by the engine.
bool is_too_long(const std::string& type, const std::string& message) {
  return type == "exceed_context_size_error" ||
         message.find("is too large to process") != std::string::npos;
}

std::string code_of(const json::object& engine, const std::string& type, int status) {
  if (std::string code = text_of(engine, "code"); !code.empty()) {
    return code;  // a server that speaks OpenAI's dialect well
  }
  if (type == "not_supported_error" || status == 404 || status == 405 || status == 501) {
    return "unsupported_by_model";
  }
  return status >= 500 ? "upstream_error" : "invalid_request";
}

}  // namespace

ApiError from_upstream_error(int status, std::string_view body, std::string_view model,
                             Dialect dialect) {
  const json::object engine = error_object(body);
  const std::string type = text_of(engine, "type");
  const std::string message = text_of(engine, "message");
  if (is_too_long(type, message)) {
    return context_exceeded(engine, dialect);
  }
  const std::string name = "\"" + std::string(model) + "\"";
  ApiError error;
  error.status = status;
  error.code = code_of(engine, type, status);
  error.param = text_of(engine, "param");
  error.message = says_nothing(message) || names_machine(message)
                      ? default_message(status, name)
                      : presentable(message, kMessageMax);
  if (error.code == "unsupported_by_model") {
    error.hint = "GET /v1/models tells what each model is for";
  }
  if (status == 429 || status == 503) {
    error.retry_after = std::chrono::seconds(1);
  }
  return error;
}

}  // namespace hf::api
