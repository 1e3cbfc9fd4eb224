#pragma once
// The server's private directory for its children's sockets, mode 0700, one a server process. Why:
// a socket file survives its process and blocks the next bind, and whoever can reach it can use the
// model. A file `lock` inside, held by flock(2) while the server lives, tells a living server's
// directory from a leftover. Blocking file calls: use at start and at the end. One thread.

#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "process/unique_fd.h"

namespace hf::process {

class RunDir {
 public:
  // Makes `holdfast-XXXXXX` below `base` and removes those that dead servers of the same user left
  // there; living ones and all other files stay. Errors: PermissionDenied, NotFound,
  // InvalidArgument (path too long for a socket), Io.
  static Result<RunDir> create_below(const std::string& base);
  // Below $XDG_RUNTIME_DIR, or below /tmp if that is not set or cannot be used.
  static Result<RunDir> create();

  RunDir(RunDir&&) noexcept = default;
  RunDir& operator=(RunDir&&) = delete;
  RunDir(const RunDir&) = delete;
  RunDir& operator=(const RunDir&) = delete;
  ~RunDir();  // removes the directory with all that is in it

  [[nodiscard]] const std::string& path() const { return path_; }
  // Shorter than 108 bytes, ends in ".sock", another one for each generation of each model.
  [[nodiscard]] std::string socket_path(ModelId model, Generation generation) const;

 private:
  RunDir(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  UniqueFd lock_;  // not valid in a moved-from object, which then removes nothing
};

}  // namespace hf::process
