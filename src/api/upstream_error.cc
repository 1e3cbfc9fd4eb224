#include "api/upstream_error.h"

#include <algorithm>
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

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// What clients know as the paths of an API, as "/v1/chat/completions".
bool is_api_path(std::string_view path) {
  return (path.starts_with("/v1/") || path.starts_with("/api/")) &&
         std::all_of(path.begin(), path.end(), [](char c) {
           return is_letter_or_digit(c) || c == '/' || c == '_' || c == '-';
         });
}

// The word of `message` that begins with the slash at `at`, without the full stop or the question
// mark of its sentence.
std::string_view word_at(std::string_view message, std::size_t at) {
  std::string_view word = message.substr(at);
  word = word.substr(0, word.find_first_of(" \t\r\n\"'`<>()[]{}|,;"));
  while (!word.empty() && std::string_view(".:!?").find(word.back()) != std::string_view::npos) {
    word.remove_suffix(1);
  }
  return word;
}

int segments_of(std::string_view path) {
  int segments = 0;
  for (std::size_t i = 1; i < path.size(); ++i) {
    segments += path[i - 1] == '/' && path[i] != '/' ? 1 : 0;
  }
  return segments;
}

// A file's absolute path has two segments or more and begins a word: "and/or", "tokens/s",
// "1/2/2026" and "#/$defs/x" are none, nor is what follows "https:".
bool names_path(std::string_view message) {
  constexpr std::string_view kInsideWords = "/_-+%@)#";
  for (std::size_t at = message.find('/'); at != std::string_view::npos;
       at = message.find('/', at + 1)) {
    const std::string_view before = message.substr(0, at);
    const bool inside = !before.empty() && (is_letter_or_digit(before.back()) ||
                                            kInsideWords.find(before.back()) != before.npos);
    if (inside || before.ends_with("http:") || before.ends_with("https:")) {
      continue;
    }
    const std::string_view word = word_at(message, at);
    if (segments_of(word) >= 2 && !is_api_path(word)) {
      return true;
    }
  }
  return false;
}

// A sentence that names what is the machine's only: flags, files.
bool names_machine(std::string_view message) {
  constexpr std::array<std::string_view, 7> kSigns{"`-",     " --",   "'--",         ".gguf",
                                                   "/home/", "/tmp/", "llama-server"};
  return names_path(message) ||
         std::any_of(kSigns.begin(), kSigns.end(), [message](std::string_view sign) {
           return message.find(sign) != std::string_view::npos;
         });
}

// The value of a field that is a word for programs, such as "bad_size" or "messages[0].role".
std::string identifier_of(const json::object& object, std::string_view key) {
  constexpr std::size_t kIdentifierMax = 64;
  std::string text = text_of(object, key);
  const bool sane =
      text.size() <= kIdentifierMax && std::all_of(text.begin(), text.end(), [](char c) {
        return is_letter_or_digit(c) || std::string_view("_.[]-").find(c) != std::string_view::npos;
      });
  return sane ? text : std::string();
}

// A model's server never gets the keys of clients, so a key that it misses is not one of theirs.
bool wants_credentials(int status) {
  constexpr int kUnauthorized = 401;
  constexpr int kForbidden = 403;
  constexpr int kProxyAuthentication = 407;
  return status == kUnauthorized || status == kForbidden || status == kProxyAuthentication;
}

ApiError credentials_wanted(const std::string& name) {
  ApiError error;
  error.status = 502;
  error.code = "upstream_error";
  error.message = "the server of model " + name + " asks for a key of its own";
  error.hint =
      "your own key is not at fault; an administrator can let that server answer without one";
  return error;
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
  if (std::string code = identifier_of(engine, "code"); !code.empty()) {
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
  if (wants_credentials(status)) {
    return credentials_wanted(name);
  }
  ApiError error;
  error.status = status;
  error.code = code_of(engine, type, status);
  error.param = identifier_of(engine, "param");
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
