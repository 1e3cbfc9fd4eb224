#pragma once
// `options` of a request: Ollama's names and habits, told to the engine in its own. Nothing is
// added that the client did not ask for: Ollama's own defaults (a repeat penalty, a temperature of
// 0.8) are not imitated, the engine's count. Options of the loading of a model never reload one
// that others share; the client is told so. Pure, any thread.

#include <boost/json/object.hpp>
#include <cstdint>
#include <string>

#include "ollama/fault.h"

namespace hf::ollama {

struct Options {
  boost::json::object fields;  // for the engine's body
  std::string warning;         // one ASCII line; "": every option was followed
};

// `options`: null if none were given. `context`: tokens that one request may use; 0: not known.
// Fault: an option of the wrong type or out of range, by its name.
Checked<Options> read_options(const boost::json::value* options, std::int64_t context);

}  // namespace hf::ollama
