#pragma once
// The server that answers now, if one does, with its own figures. Exists for the commands that
// compute what a server would do: one that runs knows better. Blocking; any thread.

#include <optional>

#include "engine/checkup.h"

namespace hf::app {

// nullopt: none answers, or another program does.
std::optional<engine::RunningServer> find_running_server();

}  // namespace hf::app
