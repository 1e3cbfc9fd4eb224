#pragma once
// Reads the fields of a form that Holdfast needs (multipart/form-data, RFC 7578: uploads of sound
// and pictures); the body itself is forwarded byte for byte. Exact where two readers could see two
// different forms: such bodies are refused. Pure, any thread. Apart from json_model because nothing
// is shared but the result.

#include <string_view>

#include "net/json_model.h"

namespace hf::net {

// A form has a handful of fields and files.
inline constexpr int kFormPartsMax = 1000;
// RFC 7578 knows three header fields of a part.
inline constexpr std::size_t kPartHeaderBytesMax = 16 * 1024;

// True if the body is declared to be such a form, well or badly.
bool is_form(std::string_view content_type);

// The fields `model` (exactly one, and not a file) and `stream` ("true" is). Without
// `model_required` a missing model gives an empty name. Faults: NotForm, TooManyParts, NoModel,
// TwoModels, EmptyModel, each with a detail that repeats nothing of the body. Cost: one pass.
BodyResult read_form_fields(std::string_view content_type, std::string_view body,
                            bool model_required);

}  // namespace hf::net
