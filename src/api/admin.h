#pragma once
// Our own commands over HTTP: load, unload, pin, unpin, cleanup, reload. They change state, so they
// are POST only. Once keys exist, everybody may load; an operator may do what spares those who use
// a model; force and reload are the administrator's. Loop thread.

#include <string>
#include <tl/expected.hpp>

#include "api/context.h"

namespace hf::api {

// Takes the call over. Requires: route.endpoint is AdminCommand, Cleanup or Reload.
void run_command(Context& context, Call call, const Route& route);

// Who may give the command: the least role. `query`: of an unload, whether it is forced.
config::Role needed_role(const Route& route, std::string_view query);

// The pure halves, for tests: what a command's result is to a client.
struct CommandAnswer {
  int status = 200;
  std::string json{};
};
// Reads ?drain= and ?force=. Error: both at once, or a value that is neither true nor false.
tl::expected<core::UnloadMode, ApiError> unload_mode(std::string_view query);
tl::expected<core::CleanupLevel, ApiError> cleanup_level(std::string_view query);
tl::expected<CommandAnswer, ApiError> unload_answer(const engine::CommandResult& result,
                                                    core::UnloadMode mode, std::string_view model,
                                                    int active);
std::string cleanup_json(const engine::CommandResult& result, core::CleanupLevel level);
std::string reload_json(const engine::Reloaded& result);
ApiError reload_refused(const Error& error);
ApiError pin_refused(const engine::CommandResult& result, std::string_view model);

}  // namespace hf::api
