#pragma once
// Whether a request suits the model that it names, and what it brings: decided before anybody waits
// or gives way for it. Exists because the engine says it late, after a load, as a server's fault or
// not at all (a reranker asked for embeddings answers with what lay in its memory), and because it
// fetches any address that it is given. Pure, any thread.

#include <optional>
#include <string_view>

#include "api/errors.h"
#include "api/routes.h"
#include "config/config.h"
#include "engine/abilities.h"
#include "net/media.h"

namespace hf::api {

// `model` is the canonical name.
std::optional<ApiError> unsuited(const engine::Abilities& abilities, Use use,
                                 const net::MediaFacts& media, std::string_view model);

std::optional<ApiError> unacceptable(const net::MediaFacts& media, const config::Config& config);

}  // namespace hf::api
