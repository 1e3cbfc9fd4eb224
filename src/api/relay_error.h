#pragma once
// What a client is told when its model's server did not answer as it should. Why apart from
// errors.h: it is read from how a relay ended, and only a process that is known to have died is
// called dead (its lease is then cut, see from_cut). Pure, any thread.

#include <string_view>

#include "api/errors.h"
#include "net/exchange.h"

namespace hf::api {

// The server answered with an error. Requires: result.end is UpstreamError.
ApiError from_error_answer(const net::RelayResult& result, std::string_view model, Dialect dialect);

// The server gave no answer, a part of one, or one that is of no use. Behind a part it is taken
// for dead: engines close no connection while they live, and the news of the exit comes later.
ApiError from_broken_answer(const net::RelayResult& result, std::string_view model);

}  // namespace hf::api
