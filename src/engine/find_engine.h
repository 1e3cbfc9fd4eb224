#pragma once
// Where the engine's program is. A file of its own, because the server and `doctor` must find the
// same one. Blocking (looks at folders); any thread.

#include <string>

#include "base/result.h"
#include "config/config.h"

namespace hf::engine {

// The program of that name on PATH; "" if there is none.
std::string search_path(const std::string& program);

// Order: the configuration, beside this program, the newest one that `make build` left in the
// cache, PATH. Errors: NotFound, with the next step.
Result<std::string> find_engine_program(const config::EngineConfig& config);

}  // namespace hf::engine
