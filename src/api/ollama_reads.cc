#include "api/ollama_reads.h"

#include <utility>

#include "api/ollama_views.h"
#include "net/json_model.h"
#include "ollama/answer_writer.h"
#include "ollama/json.h"
#include "ollama/parse.h"

namespace hf::api {
namespace {

std::vector<OllamaModel> models_of(const engine::Engine& engine) {
  std::vector<OllamaModel> models;
  for (engine::ModelStatus& model : engine.status().models) {
    if (model.view.listed && model.problem.empty()) {
      models.push_back({model.view.name, engine.traits_of(model.id), std::move(model.view)});
    }
  }
  return models;
}

// Ollama's clients of old call it `name`.
tl::expected<std::string, ApiError> asked_model(const ollama::Checked<boost::json::object>& body) {
  if (!body) {
    return tl::unexpected(bad_request("invalid_json", body.error().message));
  }
  std::string_view name = ollama::text_at(*body, "model");
  name = name.empty() ? ollama::text_at(*body, "name") : name;
  if (name.empty()) {
    ApiError error = bad_request("model_missing", "model is required");
    error.param = "model";
    return tl::unexpected(std::move(error));
  }
  return std::string(name);
}

void show(Context& context, const Call& call) {
  constexpr std::string_view kCopilot = "GitHubCopilotChat/";
  const ollama::Checked<boost::json::object> body = ollama::parse_object(call.exchange->body());
  const auto name = asked_model(body);
  if (!name) {
    return call.refuse(name.error());
  }
  const auto model = context.engine.resolve(*name);
  if (!model) {
    return call.refuse(unknown_model(model.error()));
  }
  const boost::json::value* verbose = ollama::member(*body, "verbose");
  const bool whole = verbose != nullptr && verbose->is_bool() && verbose->get_bool();
  OllamaShow what{*name, context.engine.traits_of(*model), false};
  what.for_copilot = call.exchange->head().header("user-agent").starts_with(kCopilot);
  engine::DescriptionOf wanted;
  wanted.user = call.caller.user;
  wanted.detail = whole ? gguf::Detail::Whole : gguf::Detail::Brief;
  wanted.text = [what = std::move(what)](const engine::FileDescription& description) {
    return ollama_show_json(what, description);
  };
  const auto id =
      context.engine.describe(*model, std::move(wanted), [call](Result<std::string> text) {
        if (text) {
          return call.answer(200, std::move(*text));
        }
        ApiError error = bad_request("model_broken", "the model's file cannot be read");
        error.status = 422;
        call.refuse(error);
      });
  if (!id) {
    return call.refuse(too_much_to_read());
  }
  call.exchange->on_disconnect([&engine = context.engine, id = *id] { engine.give_up(id); });
}

}  // namespace

void answer_ollama_view(Context& context, Call call, const Route& route) {
  if (route.endpoint == Endpoint::OllamaShow) {
    return show(context, call);
  }
  if (route.endpoint == Endpoint::OllamaTags) {
    return call.answer(200, ollama_tags_json(models_of(context.engine)));
  }
  if (route.endpoint == Endpoint::OllamaProcesses) {
    return call.answer(
        200, ollama_processes_json(models_of(context.engine), ollama::system_clock().unix_ns()));
  }
  call.answer(200, ollama_version_json());
}

}  // namespace hf::api
