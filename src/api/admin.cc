#include "api/admin.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "api/json_values.h"
#include "api/model_load.h"
#include "api/views.h"
#include "core/limits.h"

namespace hf::api {
namespace {

namespace json = boost::json;
using core::UnloadMode;
using core::action::AnswerCode;

tl::expected<bool, ApiError> flag(std::string_view query, std::string_view name) {
  const std::optional<std::string> value = query_value(query, name);
  if (!value || *value == "false" || *value == "0") {
    return false;
  }
  if (*value == "true" || *value == "1" || value->empty()) {
    return true;
  }
  ApiError error = bad_request("invalid_parameter", std::string(name) + " must be true or false");
  error.param = name;
  return tl::unexpected(std::move(error));
}

ApiError not_allowed(config::Role needed, config::Role own) {
  ApiError error = needed == config::Role::Admin
                       ? bad_request("admin_only", "this command needs an administrator's key")
                       : bad_request("operator_only", "this command needs an operator's key");
  error.status = 403;
  error.hint = own == config::Role::Operator
                   ? "ask an administrator; your key may unload, pin and clean up what nobody uses"
                   : "ask whoever runs the server; your key may use and load models";
  return error;
}

int active_requests_of(const engine::Status& status, ModelId id) {
  const auto at = std::find_if(status.models.begin(), status.models.end(),
                               [id](const engine::ModelStatus& model) { return model.id == id; });
  return at == status.models.end() ? 0 : active_requests(*at);
}

void load(Context& context, Call call, ModelId model, bool pinned) {
  load_model(context, std::move(call), {.model = model, .is_told = pinned},
             [name = context.engine.name_of(model), pinned](const Call& asked,
                                                            const engine::Granted& granted) {
               json::object object{{"model", name}, {"state", "ready"}};
               object["waited_ms"] = millis_of(granted.waited);
               if (pinned) {
                 object["pinned"] = true;
               }
               asked.answer(200, json::serialize(object));
             });
}

void unload(Context& context, Call call, ModelId model) {
  const auto mode = unload_mode(call.exchange->head().query);
  if (!mode) {
    return call.refuse(mode.error());
  }
  std::string by = call.who();
  context.engine.unload(
      model, *mode, std::move(by),
      [&context, call = std::move(call), model, mode = *mode](const engine::CommandResult& result) {
        const int active = active_requests_of(context.engine.status(), model);
        const auto answer = unload_answer(result, mode, context.engine.name_of(model), active);
        if (!answer) {
          return call.refuse(answer.error());
        }
        call.answer(answer->status, answer->json);
      });
}

void pin_counted(Context& context, Call call, ModelId model, bool pinned) {
  std::string by = call.who();
  context.engine.pin(
      model, pinned, std::move(by),
      [&context, call = std::move(call), model, pinned](const engine::CommandResult& result) {
        const std::string name = context.engine.name_of(model);
        if (result.code != AnswerCode::Done && result.code != AnswerCode::Started) {
          return call.refuse(pin_refused(result, name));
        }
        if (pinned) {
          return load(context, call, model, true);
        }
        call.answer(200, json::serialize(json::object{{"model", name}, {"pinned", false}}));
      });
}

void pin(Context& context, Call call, ModelId model, bool pinned) {
  if (!pinned) {
    return pin_counted(context, std::move(call), model, false);
  }
  // It waits for the load, and must not be refused between the two.
  count_call(context, std::move(call), [&context, model](Call counted) {
    pin_counted(context, std::move(counted), model, true);
  });
}

void cleanup(Context& context, Call call) {
  const auto level = cleanup_level(call.exchange->head().query);
  if (!level) {
    return call.refuse(level.error());
  }
  std::string by = call.who();
  context.engine.cleanup(
      *level, std::move(by),
      [call = std::move(call), level = *level](const engine::CommandResult& result) {
        call.answer(200, cleanup_json(result, level));
      });
}

void reload(const Context& context, Call call) {
  context.reload([call = std::move(call)](const Result<engine::Reloaded>& result) {
    if (!result) {
      return call.refuse(reload_refused(result.error()));
    }
    call.answer(200, reload_json(*result));
  });
}

}  // namespace

void run_command(Context& context, Call call, const Route& route) {
  const config::Role needed = needed_role(route, call.exchange->head().query);
  if (!call.caller.is(needed)) {
    return call.refuse(not_allowed(needed, call.caller.role));
  }
  if (route.endpoint == Endpoint::Cleanup) {
    return cleanup(context, std::move(call));
  }
  if (route.endpoint == Endpoint::Reload) {
    return reload(context, std::move(call));
  }
  const auto model = context.engine.resolve(route.model);
  if (!model) {
    return call.refuse(unknown_model(model.error()));
  }
  switch (route.verb) {
    case Verb::Load:
      return load(context, std::move(call), *model, false);
    case Verb::Unload:
      return unload(context, std::move(call), *model);
    case Verb::Pin:
      return pin(context, std::move(call), *model, true);
    case Verb::Unpin:
      return pin(context, std::move(call), *model, false);
  }
}

config::Role needed_role(const Route& route, std::string_view query) {
  if (route.endpoint == Endpoint::Reload) {
    return config::Role::Admin;
  }
  if (route.endpoint == Endpoint::Cleanup || route.verb == Verb::Pin || route.verb == Verb::Unpin) {
    return config::Role::Operator;
  }
  if (route.verb == Verb::Load) {
    return config::Role::User;
  }
  const auto forced = flag(query, "force");
  return forced && *forced ? config::Role::Admin : config::Role::Operator;
}

tl::expected<UnloadMode, ApiError> unload_mode(std::string_view query) {
  const auto drain = flag(query, "drain");
  const auto force = flag(query, "force");
  if (!drain || !force) {
    return tl::unexpected(drain ? force.error() : drain.error());
  }
  if (*drain && *force) {
    return tl::unexpected(bad_request("invalid_parameter", "drain and force exclude each other"));
  }
  if (*force) {
    return UnloadMode::Force;
  }
  return *drain ? UnloadMode::Drain : UnloadMode::IfIdle;
}

tl::expected<core::CleanupLevel, ApiError> cleanup_level(std::string_view query) {
  const std::string level = query_value(query, "level").value_or("normal");
  if (level == "normal") {
    return core::CleanupLevel::Normal;
  }
  if (level == "emergency") {
    return core::CleanupLevel::Emergency;
  }
  ApiError error = bad_request("invalid_parameter", "level must be normal or emergency");
  error.param = "level";
  return tl::unexpected(std::move(error));
}

tl::expected<CommandAnswer, ApiError> unload_answer(const engine::CommandResult& result,
                                                    UnloadMode mode, std::string_view model,
                                                    int active) {
  if (result.code == AnswerCode::InUse) {
    ApiError error;
    error.status = 409;
    error.code = "model_in_use";
    error.message = "model \"" + std::string(model) + "\" is in use";
    error.hint = "drain lets its answers finish first (?drain=true), force cuts them (?force=true)";
    error.numbers = {{"active_requests", active}};
    return tl::unexpected(std::move(error));
  }
  if (result.code == AnswerCode::NeverFits || result.code == AnswerCode::TooLarge ||
      result.code == AnswerCode::Refused) {
    return tl::unexpected(pin_refused(result, model));
  }
  CommandAnswer answer;
  json::object object;
  object["model"] = model;
  if (result.code == AnswerCode::NotLoaded) {
    object["result"] = "not_loaded";
  } else {
    answer.status = mode == UnloadMode::Drain ? 202 : 200;
    object["result"] = mode == UnloadMode::Drain ? "draining" : "unloading";
  }
  answer.json = json::serialize(object);
  return answer;
}

std::string cleanup_json(const engine::CommandResult& result, core::CleanupLevel level) {
  json::object object;
  object["level"] = level == core::CleanupLevel::Emergency ? "emergency" : "normal";
  object["unloading"] = names_array(result.unloading);
  object["kept"] = names_array(result.kept);
  object["protected"] = names_array(result.protected_models);
  return json::serialize(object);
}

std::string reload_json(const engine::Reloaded& result) {
  json::object models;
  models["added"] = names_array(result.added);
  models["removed"] = names_array(result.removed);
  models["restarted"] = names_array(result.restarted);
  models["changed"] = names_array(result.changed);
  json::object changed{{"models", std::move(models)}};
  changed["settings"] = names_array(result.settings);
  json::object object{{"changed", std::move(changed)}};
  object["restart_needed"] = names_array(result.restart_needed);
  return json::serialize(object);
}

ApiError reload_refused(const Error& error) {
  if (error.code == Errc::Unavailable) {
    engine::CommandResult result;
    result.code = AnswerCode::Refused;
    return pin_refused(result, {});
  }
  ApiError refused;
  refused.message = error.message;
  if (error.code == Errc::Internal) {
    refused.code = "reload_failed";  // 500: nobody's mistake, and another try may succeed
  } else if (error.code == Errc::NotFound) {
    refused.status = 409;
    refused.code = "no_config";
    refused.hint = "start the server with --config FILE, or write ./holdfast.toml where it runs";
  } else {
    refused.status = 422;
    refused.code = "config_invalid";
    refused.hint = "nothing was changed; holdfast config check FILE shows every mistake";
  }
  return refused;
}

ApiError pin_refused(const engine::CommandResult& result, std::string_view model) {
  const AnswerCode code = result.code;
  ApiError error;
  if (code == AnswerCode::CardTaken) {
    error.status = 503;
    error.code = core::name_of(core::Why::CardTaken);
    error.message = "model \"" + std::string(model) +
                    "\" cannot be pinned now: other programs hold the memory it needs" +
                    result.card;
    error.retry_after = core::kNeighbourPause;
    return error;
  }
  if (code == AnswerCode::TooLarge) {
    error.status = 409;
    error.code = core::name_of(core::Why::NeverFits);
    error.message = "model \"" + std::string(model) +
                    "\" cannot be pinned: it is larger than the whole memory budget";
    error.hint = "raise the memory budget, or choose a smaller variant or context";
    return error;
  }
  if (code == AnswerCode::NeverFits) {
    error.status = 409;
    error.code = core::name_of(core::Why::NeverFits);
    error.message = "model \"" + std::string(model) +
                    "\" cannot be pinned: it does not fit beside what is pinned already";
    error.hint = "unpin another model, or raise the memory budget";
    return error;
  }
  error.status = 503;
  error.code = core::name_of(core::Why::ShuttingDown);
  error.message = "the server takes no commands while it shuts down";
  error.retry_after = std::chrono::seconds(1);
  return error;
}

}  // namespace hf::api
