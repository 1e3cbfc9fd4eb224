#pragma once
// The x-request-id of the few answers that come from this folder itself. Any thread.

#include <string>

#include "net/exchange.h"

namespace hf::net {

// 16 hexadecimal digits that will not collide.
std::string new_request_id();

// The client's own id if it is 1 to 128 characters of A-Z a-z 0-9 . _ -, else a new one.
std::string request_id_of(const RequestHead& head);

}  // namespace hf::net
