#pragma once
// Connects to a child's unix socket, or to its port on 127.0.0.1, without ever blocking the loop.
// Why not async_connect: a full backlog answers EAGAIN on a unix socket (connect(2)), which is not
// "in progress" and which Asio mistakes for it.

#include <cstdint>
#include <string>

#include "net/asio.h"

namespace hf::net {

// Either kind.
using UpstreamSocket = asio::generic::stream_protocol::socket;

struct UpstreamAddress {
  std::string path;
  std::uint16_t port = 0;  // not 0: this one instead of the path
};

// Waits a bounded time for room in the backlog.
Task<error_code> connect_upstream(UpstreamSocket& socket, UpstreamAddress address);

}  // namespace hf::net
