#pragma once
// One question to an upstream for ourselves: a POST whose whole answer is for us and no client. For
// what must be known before a request can be relayed (how many tokens a text has). Loop thread.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace boost::asio {
class io_context;
}

namespace hf::net {

struct UpstreamCall {
  std::string socket_path;  // the child's unix socket, or
  std::uint16_t port = 0;   // not 0: this port of 127.0.0.1 instead
  std::string target{};     // percent-encoded
  std::string body{};       // JSON
  std::size_t answer_bytes_max = 16U * 1024 * 1024;
  Duration within = std::chrono::seconds(60);  // for all of it
};

struct UpstreamAnswer {
  int status = 0;
  std::string body{};
};

// Calls back once from the loop, later than this call. Errors: Unavailable (nobody listens, or it
// closed), Timeout, Io.
using UpstreamCallback = std::function<void(Result<UpstreamAnswer>)>;
void call_upstream(boost::asio::io_context& io, UpstreamCall call, UpstreamCallback done);

}  // namespace hf::net
