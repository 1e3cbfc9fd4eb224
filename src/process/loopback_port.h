#pragma once
// A port of 127.0.0.1 that nobody listens on, for a child that cannot listen on a unix socket.
// Nothing keeps it free until the child binds it: whoever loses that race says so and ends, and is
// started again with another one. Any thread.

#include <cstdint>

#include "base/result.h"

namespace hf::process {

// Errors: ResourceExhausted (no port is left, or no descriptor), Io.
Result<std::uint16_t> free_loopback_port();

}  // namespace hf::process
