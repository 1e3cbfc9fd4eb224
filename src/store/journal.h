#pragma once
// The journal file: one JSON object a line, one write() a line, made before the action it tells of,
// so that after any crash the file says what was about to happen. Tests and auditors read it. A
// full disk must not stop the service: a lost line is counted and told of once.
//
// Thread: one at a time. Synchronous; a line is a few hundred bytes into the page cache.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hf::store {

class Journal {
 public:
  // Appends to the file or creates it (0600); its folder must exist. Errors: NotFound,
  // PermissionDenied, Io.
  static Result<Journal> open(const std::filesystem::path& path);

  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&& other) noexcept;
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal();

  // Writes the line and a line end. Gives an error for the first of a row of failures only, to be
  // logged; the next success begins a new row. Requires: no line end inside `line` (HF_ASSERT).
  std::optional<Error> append(std::string_view line);

  // Lines that were not written whole, since the opening.
  std::uint64_t lost_lines() const { return lost_lines_; }

 private:
  Journal(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  int fd_ = -1;
  std::string path_;
  std::string buffer_;  // kept for its capacity
  std::uint64_t lost_lines_ = 0;
  bool failing_ = false;
  bool torn_ = false;  // the last write ended inside a line: the next one must end it first
};

}  // namespace hf::store
