#pragma once
// Points in time as Ollama's API has them. Pure, any thread.

#include <cstdint>
#include <string>

namespace hf::ollama {

// RFC 3339 in UTC with nanoseconds: "2025-10-01T12:00:00.123456789Z". Requires: years 1970 to 2261.
std::string rfc3339(std::int64_t unix_ns);

}  // namespace hf::ollama
