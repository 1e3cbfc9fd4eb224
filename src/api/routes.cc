#include "api/routes.h"

#include <algorithm>
#include <array>
#include <utility>

#include "api/ollama_routes.h"

namespace hf::api {
namespace {

// Every path of the stock server that one model answers by its `model` field, and those of OpenAI's
// API that other servers answer. Those that act on a process rather than a model (slots, props,
// adapters) are not offered. First: where lists in the body are tasks of their own.
constexpr std::array<std::string_view, 11> kOfTasks{
    "/v1/completions", "/completions", "/completion",   "/infill", "/v1/embeddings", "/embeddings",
    "/embedding",      "/v1/rerank",   "/v1/reranking", "/rerank", "/reranking",
};
constexpr std::array<std::string_view, 13> kOfOneText{
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/chat/completions/input_tokens",
    "/v1/responses/input_tokens",
    "/chat/completions",
    "/chat/completions/input_tokens",
    "/responses",
    "/responses/input_tokens",
    "/tokenize",
    "/detokenize",
    "/apply-template",
};

// Of these: whose answers may be event streams.
constexpr std::array<std::string_view, 9> kStreaming{
    "/v1/chat/completions", "/chat/completions", "/v1/completions",
    "/completions",         "/completion",       "/infill",
    "/v1/responses",        "/responses",        "/v1/messages",
};

// Sound and pictures. Uploads come as forms, everything else as JSON.
constexpr std::array<std::string_view, 7> kMedia{
    "/v1/audio/transcriptions", "/audio/transcriptions",  "/v1/audio/translations",
    "/v1/audio/speech",         "/v1/images/generations", "/v1/images/edits",
    "/v1/images/variations",
};

// Conversations over a WebSocket.
constexpr std::array<std::string_view, 2> kRealtime{"/v1/realtime", "/realtime"};

template <class List>
bool holds(const List& list, std::string_view path) {
  return std::find(list.begin(), list.end(), path) != list.end();
}

struct FixedPath {
  std::string_view path;
  Endpoint endpoint;
  bool post = false;
};
constexpr std::array<FixedPath, 10> kFixed{{
    {"/", Endpoint::Home},
    {"/health", Endpoint::Health},
    {"/v1/health", Endpoint::Health},
    {"/health/live", Endpoint::Live},
    {"/v1/models", Endpoint::ModelList},
    {"/models", Endpoint::ModelList},
    {"/api/v1/models", Endpoint::AdminModels},
    {"/api/v1/explain", Endpoint::Explain},
    {"/api/v1/cleanup", Endpoint::Cleanup, true},
    {"/api/v1/reload", Endpoint::Reload, true},
}};

constexpr std::array<std::pair<std::string_view, Verb>, 4> kVerbs{{
    {"load", Verb::Load},
    {"unload", Verb::Unload},
    {"pin", Verb::Pin},
    {"unpin", Verb::Unpin},
}};

constexpr std::string_view kModelInfo = "/v1/models/";
constexpr std::string_view kAdminModel = "/api/v1/models/";

Use use_of(std::string_view path) {
  const std::string_view last = path.substr(path.rfind('/') + 1);
  if (last == "rerank" || last == "reranking") {
    return Use::Rank;
  }
  if (last == "embeddings" || last == "embedding") {
    return Use::Embed;
  }
  const bool writes = std::find(kStreaming.begin(), kStreaming.end(), path) != kStreaming.end();
  return writes ? Use::Generate : Use::Any;
}

ApiError not_found(std::string_view path) {
  ApiError error;
  error.status = 404;
  error.code = "unknown_path";
  error.message = "there is nothing at this path";
  if (path.size() > 1 && path.ends_with('/')) {
    error.hint = "leave out the slash at the end";
  } else if (path.starts_with("/api/v1/models/")) {
    error.hint = "POST /api/v1/models/NAME/ followed by load, unload, pin or unpin";
  } else if (dialect_of(path) == Dialect::Ollama) {
    error.hint = "see /api/chat, /api/generate, /api/embed, /api/tags, /api/show and /api/ps";
  } else if (path.starts_with("/api/")) {
    error.hint = "see /api/v1/models, /api/v1/explain?model=NAME, /api/v1/cleanup, /api/v1/reload";
  } else {
    error.hint = "GET / names the paths there are, for example /v1/chat/completions";
  }
  return error;
}

ApiError upgrade_needed() {
  ApiError error;
  error.status = 426;
  error.code = "upgrade_required";
  error.message = "this path is for WebSockets";
  error.hint = "connect with ws:// or wss:// and ?model=NAME";
  return error;
}

std::optional<Route> admin_command(std::string_view path) {
  const std::string_view rest = path.substr(kAdminModel.size());
  const std::size_t slash = rest.rfind('/');
  if (slash == std::string_view::npos || slash == 0) {
    return std::nullopt;
  }
  const std::string_view word = rest.substr(slash + 1);
  for (const auto& [name, verb] : kVerbs) {
    if (word == name) {
      return Route{Endpoint::AdminCommand, std::string(rest.substr(0, slash)), verb};
    }
  }
  return std::nullopt;
}

std::optional<char> hex_pair(std::string_view text) {
  const auto digit = [](char c) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    return kDigits.find(lower);
  };
  if (text.size() < 2 || digit(text[0]) == std::string_view::npos ||
      digit(text[1]) == std::string_view::npos) {
    return std::nullopt;
  }
  return static_cast<char>(digit(text[0]) * 16 + digit(text[1]));
}

std::string decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::optional<char> escaped =
        text[i] == '%' ? hex_pair(text.substr(i + 1, 2)) : std::nullopt;
    result += escaped.value_or(text[i]);
    i += escaped ? 2 : 0;
  }
  return result;
}

}  // namespace

tl::expected<Route, ApiError> allow_only(bool post, std::string_view method, Route route) {
  const bool fits = post ? method == "POST" : method == "GET" || method == "HEAD";
  if (fits) {
    return route;
  }
  ApiError error;
  error.status = 405;
  error.code = "method_not_allowed";
  error.allow = post ? "POST" : "GET, HEAD";
  error.message = "this path takes " + std::string(post ? "POST" : "GET") + " only";
  return tl::unexpected(std::move(error));
}

tl::expected<Route, ApiError> find_route(std::string_view method, std::string_view path) {
  const bool of_tasks = holds(kOfTasks, path);
  if (of_tasks || holds(kOfOneText, path)) {
    Route route{Endpoint::Proxied};
    route.lists_are_tasks = of_tasks;
    route.use = use_of(path);
    route.streams = holds(kStreaming, path);
    return allow_only(true, method, std::move(route));
  }
  if (holds(kRealtime, path)) {
    return tl::unexpected(upgrade_needed());
  }
  if (holds(kMedia, path)) {
    Route route{Endpoint::Proxied};
    route.takes_forms = true;
    return allow_only(true, method, std::move(route));
  }
  if (is_ollama_path(path)) {
    return find_ollama_route(method, path);
  }
  for (const FixedPath& fixed : kFixed) {
    if (path == fixed.path) {
      return allow_only(fixed.post, method, Route{fixed.endpoint});
    }
  }
  if (path.starts_with(kModelInfo) && path.size() > kModelInfo.size()) {
    return allow_only(false, method,
                      Route{Endpoint::ModelInfo, std::string(path.substr(kModelInfo.size()))});
  }
  if (path.starts_with(kAdminModel)) {
    if (std::optional<Route> command = admin_command(path)) {
      return allow_only(true, method, std::move(*command));
    }
  }
  return tl::unexpected(not_found(path));
}

tl::expected<Route, ApiError> find_upgrade_route(std::string_view method, std::string_view path) {
  if (!holds(kRealtime, path) && !holds(kOfTasks, path) && !holds(kOfOneText, path) &&
      !holds(kMedia, path)) {
    return find_route(method, path);  // a wish that a server need not grant (RFC 9110 §7.8)
  }
  Route route{Endpoint::Proxied};
  route.upgrades = true;
  return allow_only(false, method, std::move(route));
}

Dialect dialect_of(std::string_view path) {
  constexpr std::string_view kMessages = "/v1/messages";
  const bool below = path.starts_with(kMessages) &&
                     (path.size() == kMessages.size() || path[kMessages.size()] == '/');
  if (below) {
    return Dialect::Anthropic;
  }
  const bool ours = path == "/api/v1" || path.starts_with("/api/v1/");
  return path.starts_with("/api/") && !ours ? Dialect::Ollama : Dialect::OpenAi;
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = std::min(part.find('='), part.size());
    if (decoded(part.substr(0, equals)) == name) {
      return decoded(part.substr(std::min(equals + 1, part.size())));
    }
  }
  return std::nullopt;
}

}  // namespace hf::api
