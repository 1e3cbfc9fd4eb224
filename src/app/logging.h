#pragma once
// Where log lines go and what they look like: standard error, as text for people or one JSON object
// a line for programs. Call once, before the first line. Any thread may log afterwards.

#include "config/config.h"

namespace hf::app {

void start_logging(const config::LogConfig& config);

}  // namespace hf::app
