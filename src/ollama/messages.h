#pragma once
// The conversation of a request: Ollama's messages as those of OpenAI's chat API. What differs:
// pictures stand beside the text, arguments of tool calls are objects, calls and results need not
// name each other, and messages of one role in a row are one message (Ollama's templates make them
// one; many templates of models refuse two). Pure, any thread.

#include <boost/json/array.hpp>
#include <string_view>

#include "ollama/fault.h"

namespace hf::ollama {

Checked<boost::json::array> read_messages(const boost::json::array& messages);

// The one message, or two, that a prompt is. `images`: null if there are none.
Checked<boost::json::array> prompt_messages(std::string_view system, std::string_view prompt,
                                            const boost::json::array* images);

Checked<boost::json::array> read_tools(const boost::json::value& tools);

}  // namespace hf::ollama
