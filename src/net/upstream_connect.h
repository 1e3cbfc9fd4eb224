#pragma once
// Connects to a child's unix socket without ever blocking the loop. Why not async_connect: a full
// backlog answers EAGAIN on a unix socket (connect(2)), which is not "in progress" and which Asio
// mistakes for it.

#include <string>

#include "net/asio.h"

namespace hf::net {

// Waits a bounded time for room in the backlog. The path is copied into the coroutine.
Task<error_code> connect_upstream(Unix::socket& socket, std::string path);

}  // namespace hf::net
