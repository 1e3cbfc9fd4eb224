#pragma once
// JSON as people write it. Why not the library's: it writes 1.5 as 1.5E0, and what is text for a
// model should be what its client sent, or what Ollama makes of it. Pure, any thread.

#include <boost/json/value.hpp>
#include <string>

namespace hf::ollama {

// Numbers in their shortest form: 1.5, 3, 1e+300. Requires: none is infinite; a bounded depth.
std::string plain_text(const boost::json::value& value);

}  // namespace hf::ollama
