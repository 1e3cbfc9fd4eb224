#pragma once
// What a model's own server answered instead of an answer, said as the API that was called says
// such things. Why not passed on as it is: the stock engine has one shape for all dialects (a
// number as `code`, llama.cpp's types), no client knows its word for a full context, and its
// sentences name flags and paths of a machine that is none of the client's business. Pure, any
// thread.

#include <string_view>

#include "api/errors.h"

namespace hf::api {

// `status` (400 or more) and `body` are what the server answered, `model` is the canonical name.
ApiError from_upstream_error(int status, std::string_view body, std::string_view model,
                             Dialect dialect);

}  // namespace hf::api
