#pragma once
// Paths of Ollama's API: which are answered, and for those that are not what to do instead. Apart
// from routes.h because they come from another program, with its own verbs. Pure, any thread.

#include <optional>
#include <string_view>
#include <tl/expected.hpp>

#include "api/routes.h"

namespace hf::api {

// True for all of them, below our own /api/v1/ none.
bool is_ollama_path(std::string_view path);

// Requires: is_ollama_path(path). Errors: 405; 501 for what changes models, with the next step.
tl::expected<Route, ApiError> find_ollama_route(std::string_view method, std::string_view path);

}  // namespace hf::api
