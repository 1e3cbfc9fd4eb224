#pragma once
// An exchange whose answer carries further headers, whichever way it is given: a reply, a relay, or
// a stream that begins before its content. It exists so that those who answer need not know of
// them. Loop thread.

#include <memory>
#include <vector>

#include "net/exchange.h"

namespace hf::api {

// `exchange` itself where there are none.
std::shared_ptr<net::Exchange> with_headers(std::shared_ptr<net::Exchange> exchange,
                                            std::vector<net::Header> headers);

// Behind those that are there.
void append(std::vector<net::Header>& headers, const std::vector<net::Header>& more);

}  // namespace hf::api
