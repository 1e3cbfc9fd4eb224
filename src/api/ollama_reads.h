#pragma once
// The reads of Ollama's API. Loop thread.

#include "api/context.h"

namespace hf::api {

// Takes the call over. Requires: route.endpoint is one of Ollama's but OllamaRequest.
void answer_ollama_view(Context& context, Call call, const Route& route);

}  // namespace hf::api
