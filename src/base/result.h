#pragma once
// Result<T>: the value or an operating error (a missing file, a bad setting, a refused load). Bugs
// are HF_ASSERT, not Error. Each layer that passes an error on adds its context once. Value types.

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace hf {

enum class Errc {
  InvalidArgument,  // the caller's input is wrong
  NotFound,
  AlreadyExists,
  PermissionDenied,
  Corrupt,  // a file or a message is not what it says it is
  Unsupported,
  ResourceExhausted,  // memory, descriptors, a limit
  Unavailable,        // try again later
  Timeout,
  Io,
  Internal,
};

struct [[nodiscard]] Error {
  Errc code = Errc::Internal;
  std::string message;  // outermost context first: "config: memory.budget: not a size"
  int sys_errno = 0;    // 0 when the kernel had no part in it

  Error(Errc c, std::string text, int os_error = 0)
      : code(c), message(std::move(text)), sys_errno(os_error) {}

  Error with_context(std::string_view context) && {
    message.insert(0, ": ");
    message.insert(0, context);
    return std::move(*this);
  }
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(Errc code, std::string text, int os_error = 0) {
  return tl::unexpected<Error>(Error(code, std::move(text), os_error));
}
inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace hf
