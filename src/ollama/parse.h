#pragma once
// Reads the JSON of a client. Why not the library's one-line function: a body of numbers takes
// twelve times its size once it is values, and a number beyond the range of a double becomes one
// that cannot be written down again. Any thread.

#include <boost/json/value.hpp>
#include <string_view>

#include "ollama/fault.h"

namespace hf::ollama {

// The whole document, an object. Of members with the same name the last one counts. Fault: it is
// none, or takes too much.
Checked<boost::json::object> parse_object(std::string_view text);

}  // namespace hf::ollama
