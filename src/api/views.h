#pragma once
// What the engine shows of itself, as JSON for clients: /health, the model lists, explain. Field
// names are fixed: scripts rely on them. Pure functions of a Status, any thread.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace hf::api {

// How much of /health a caller sees once keys exist.
enum class Detail {
  StatusOnly,  // without a key
  User,        // everything but what follows
  Operator,    // and who uses and waits for what
  Admin,       // and pid
};

std::string health_json(const engine::Status& status, Detail detail);
// 503 only when new work cannot be served.
int health_http_status(const engine::Status& status);

// What OpenAI's and Anthropic's clients expect, with more fields behind.
std::string model_list_json(const engine::Status& status);
// One entry of it; nullopt if the model is not listed.
std::optional<std::string> model_info_json(const engine::Status& status, ModelId model);

// Everything we know of every model.
std::string admin_models_json(const engine::Status& status, Detail detail);
// Why a model is loaded, waiting or gone; nullopt if it is not one of status.models.
std::optional<std::string> explain_json(const engine::Status& status, ModelId model, Detail detail,
                                        const std::vector<engine::Decision>& decisions,
                                        const std::vector<core::TicketView>& tickets);

std::string_view name_of(engine::Overall overall);

// Tickets and leases: what counts as using a model.
int active_requests(const engine::ModelStatus& model);

}  // namespace hf::api
