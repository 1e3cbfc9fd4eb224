#pragma once
// `keep_alive`: how long Ollama shall keep a model after a request. Holdfast decides that for all
// of its users together, so only one of its values means something here: zero, "I am done with it".
// Pure, any thread.

#include <boost/json/value.hpp>

#include "ollama/fault.h"

namespace hf::ollama {

enum class KeepAlive {
  AsUsual,  // not said, a duration, or negative (for ever): neither pins nor shortens
  Zero,     // the model may go now, if nobody else wants it
};

// Seconds, or a duration as Go writes it ("5m", "1h30m", "-1s", "0"). `value`: null if it was not
// given.
Checked<KeepAlive> read_keep_alive(const boost::json::value* value);

}  // namespace hf::ollama
