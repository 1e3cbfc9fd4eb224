#pragma once
// The first look at a body: it is valid, and says which model it asks for. Why apart: looking at
// many megabytes holds the loop for tens of milliseconds, so that is done beside it. Loop thread.

#include <functional>
#include <string_view>

#include "api/context.h"
#include "net/json_model.h"

namespace hf::api {

// On either thread. The body is followed by at least 64 readable bytes.
using ReadBody = std::function<net::BodyResult(std::string_view padded_body)>;
using Looked = std::function<void(Call call, const net::BodyResult& body)>;

// Takes the call over: calls `next`, now or later; or refuses it, because its user has too many
// already or too much waits to be looked at; or forgets it, if its client leaves before.
void look_at_body(Context& context, Call call, ReadBody read, Looked next);

}  // namespace hf::api
