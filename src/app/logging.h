#pragma once
// Where log lines go and what they look like: standard error, as text for people or one JSON object
// a line for programs. Any thread may log after the start.

#include "config/config.h"

namespace hf::app {

// Call once, before the first line.
void start_logging(const config::LogConfig& config);
// Another form and level from now on, while others log.
void change_logging(const config::LogConfig& config);

}  // namespace hf::app
