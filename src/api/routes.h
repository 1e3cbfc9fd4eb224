#pragma once
// Which request means what: one table from method and path to an endpoint. It exists so that
// "unknown path", "wrong method" and the dialect of an error are decided in one place, before any
// body is read. Pure, any thread.

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "api/errors.h"
#include "ollama/answer_plan.h"

namespace hf::api {

enum class Endpoint {
  Proxied,    // POST, the body's `model` field says which model
  ModelList,  // what OpenAI clients ask for
  ModelInfo,  // one entry of it, Route::model
  Health,
  Live,
  AdminModels,   // everything we know of every model
  AdminCommand,  // Route::verb on Route::model
  Cleanup,
  Reload,
  Explain,
  OllamaRequest,    // Route::ollama, the body's `model` field says which model
  OllamaTags,       // the list as Ollama's clients expect it
  OllamaProcesses,  // of the models that are loaded
  OllamaShow,       // what one model is; the body says which
  OllamaVersion,
  Home,
};

enum class Verb { Load, Unload, Pin, Unpin };

// What a proxied request wants of a model.
enum class Use { Any, Generate, Embed, Rank };

struct Route {
  Endpoint endpoint = Endpoint::Home;
  std::string model{};  // as asked, not yet looked up
  Verb verb = Verb::Load;
  ollama::Endpoint ollama = ollama::Endpoint::Chat;
  bool lists_are_tasks = false;  // of a proxied body, see net::BodyRules
  bool takes_forms = false;      // of a proxied path: its body may be multipart/form-data
  bool upgrades = false;         // of a proxied path: to another protocol, without a body
  Use use = Use::Any;            // of a proxied path
  bool streams = false;          // of a proxied path: "stream": true is answered by an event stream
};

// `path` is percent-decoded and without the query. Error: 404 with a hint, or 405 with the methods
// that are allowed. HEAD is allowed wherever GET is.
tl::expected<Route, ApiError> find_route(std::string_view method, std::string_view path);

// The same for a request that asks for another protocol (a WebSocket): those go to a model on
// `/v1/realtime` and on every path on which a model is asked. Error: 404; 405 unless it is a GET.
tl::expected<Route, ApiError> find_upgrade_route(std::string_view method, std::string_view path);

// The route, if `method` is what its path takes: POST, or GET and HEAD. Error: 405.
tl::expected<Route, ApiError> allow_only(bool post, std::string_view method, Route route);

// The dialect errors on this path are told in: Anthropic's for /v1/messages and below, Ollama's for
// the paths of its API, else OpenAI's.
Dialect dialect_of(std::string_view path);

// The value of `name` in a raw query ("a=1&b=x%20y"), percent-decoded; the first one counts.
// nullopt: not there. A bad escape stays as it is. '+' is a plus sign: model names may hold one.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

}  // namespace hf::api
