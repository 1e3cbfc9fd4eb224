#pragma once
// A request of Ollama's API on its way to a model and back: what src/ollama says, in the hands of
// the engine and the exchange. Loop thread.

#include <memory>
#include <string_view>

#include "api/context.h"
#include "api/translation.h"
#include "ollama/request.h"

namespace hf::api {

// The media type of its streams.
inline constexpr std::string_view kOllamaLines = "application/x-ndjson";

ollama::ModelFacts ollama_facts(const engine::Engine& engine, ModelId model);

// Requires: request.work is Answer, and it was read from the call's body.
std::shared_ptr<Translation> translate_ollama(Context& context, const Call& call, ModelId model,
                                              ollama::Request request);

}  // namespace hf::api
