#pragma once
// Which file a path means at this moment. Exists so that measured costs and page-cache facts are
// kept for the file and not for its name: a file replaced under the same name is another one. Any
// thread.

#include <compare>
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace hf::gguf {

struct FileIdentity {
  std::uint64_t dev = 0;
  std::uint64_t ino = 0;
  std::uint64_t size = 0;     // bytes
  std::int64_t mtime_ns = 0;  // since 1970

  auto operator<=>(const FileIdentity&) const = default;
};

// Follows symbolic links. Errors: NotFound, PermissionDenied, Io.
Result<FileIdentity> identify(const std::filesystem::path& path);
// Requires: an open descriptor. Errors: Io.
Result<FileIdentity> identify(int descriptor);

// "dev:ino:size:mtime_ns": a key for the history.
std::string to_string(const FileIdentity& identity);

}  // namespace hf::gguf
