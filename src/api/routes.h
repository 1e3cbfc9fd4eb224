#pragma once
// Which request means what: one table from method and path to an endpoint. It exists so that
// "unknown path", "wrong method" and the dialect of an error are decided in one place, before any
// body is read. Pure, any thread.

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "api/errors.h"

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
  Home,
};

enum class Verb { Load, Unload, Pin, Unpin };

// What a proxied request wants of a model.
enum class Use { Any, Generate, Embed, Rank };

struct Route {
  Endpoint endpoint = Endpoint::Home;
  std::string model{};  // as asked, not yet looked up
  Verb verb = Verb::Load;
  bool lists_are_tasks = false;  // of a proxied body, see net::BodyRules
  Use use = Use::Any;            // of a proxied path
  bool streams = false;          // of a proxied path: "stream": true is answered by an event stream
};

// `path` is percent-decoded and without the query. Error: 404 with a hint, or 405 with the methods
// that are allowed. HEAD is allowed wherever GET is.
tl::expected<Route, ApiError> find_route(std::string_view method, std::string_view path);

// The dialect errors on this path are told in: Anthropic's for /v1/messages and below, else
// OpenAI's.
Dialect dialect_of(std::string_view path);

// The value of `name` in a raw query ("a=1&b=x%20y"), percent-decoded; the first one counts.
// nullopt: not there. A bad escape stays as it is. '+' is a plus sign: model names may hold one.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

}  // namespace hf::api
