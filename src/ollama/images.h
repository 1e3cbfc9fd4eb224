#pragma once
// Pictures of a request: base64 in Ollama's API, a data URI for the engine. Pure, any thread.

#include <optional>
#include <string>
#include <string_view>

namespace hf::ollama {

// `text` as a data URI whose media type is read from its first bytes. A data URI is accepted, too,
// as some clients send one. Nothing if it is not base64.
std::optional<std::string> image_uri(std::string_view text);

}  // namespace hf::ollama
