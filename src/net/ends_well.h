#pragma once
// A part of a group (`a || b`) that may throw: out of memory, in practice. Why: `||` waits for the
// first success, and an exception is none. The other parts would go on as if nothing had happened,
// and whoever waits for the part that threw would wait until the client leaves.

#include <exception>
#include <utility>

#include "net/asio.h"

namespace hf::net {

// False: it threw. One that is cancelled ends well.
inline Task<bool> ends_well(Task<void> part) {
  try {
    co_await std::move(part);
  } catch (const boost::system::system_error& error) {
    co_return error.code() == asio::error::operation_aborted;
  } catch (const std::exception&) {
    co_return false;
  }
  co_return true;
}

}  // namespace hf::net
