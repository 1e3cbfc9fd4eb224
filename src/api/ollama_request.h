#pragma once
// /api/chat, /api/generate, /api/embed, /api/embeddings: translated and handed to ModelRequest, or
// answered at once where only a load or an unload was asked for. Loop thread.

#include "api/context.h"
#include "ollama/answer_plan.h"

namespace hf::api {

// Takes the call over.
void start_ollama_request(Context& context, Call call, ollama::Endpoint endpoint);

}  // namespace hf::api
