#pragma once
// What is wrong with a request before anybody looks at what it asks for: it is no HTTP, its body is
// too large or does not come, or the server cannot take it now. Apart from errors.h, which tells
// what became of requests that were understood. Pure, any thread.

#include <cstdint>
#include <string_view>

#include "api/errors.h"
#include "net/exchange.h"

namespace hf::api {

// `setting`: what raises the limit; "" nothing does.
ApiError body_too_large(std::uint64_t limit_bytes, std::string_view setting);
// `why`: a detail of NotHttp, else empty.
ApiError from_unfit(net::Unfit reason, std::string_view why);

}  // namespace hf::api
