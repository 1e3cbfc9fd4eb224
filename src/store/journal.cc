#include "store/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace hf::store {
namespace {

Error error_of(const std::string& path, int reason) {
  const Errc code = reason == ENOENT || reason == ENOTDIR  ? Errc::NotFound
                    : reason == EACCES || reason == EPERM  ? Errc::PermissionDenied
                    : reason == ENOSPC || reason == EDQUOT ? Errc::ResourceExhausted
                                                           : Errc::Io;
  return {code, "journal: " + path + ": " + std::strerror(reason), reason};
}

}  // namespace

Result<Journal> Journal::open(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return fail(error_of(path.string(), errno));
  }
  return Journal(fd, path.string());
}

Journal::Journal(Journal&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      buffer_(std::move(other.buffer_)),
      lost_lines_(other.lost_lines_),
      failing_(other.failing_),
      torn_(other.torn_) {}

Journal& Journal::operator=(Journal&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(buffer_, other.buffer_);
  std::swap(lost_lines_, other.lost_lines_);
  std::swap(failing_, other.failing_);
  std::swap(torn_, other.torn_);
  return *this;
}

Journal::~Journal() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

std::optional<Error> Journal::append(std::string_view line) {
  HF_ASSERT(fd_ >= 0, "a journal that was moved from");
  HF_ASSERT(line.find('\n') == std::string_view::npos, "one line is one write");
  buffer_.assign(torn_ ? "\n" : "");
  buffer_ += line;
  buffer_ += '\n';
  ssize_t written = 0;
  do {
    written = ::write(fd_, buffer_.data(), buffer_.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(buffer_.size())) {
    failing_ = false;
    torn_ = false;
    return std::nullopt;
  }
  // A short write says nothing of its reason; on a regular file it is a full disk or a limit.
  const int reason = written < 0 ? errno : ENOSPC;
  ++lost_lines_;
  torn_ = torn_ || written > 0;
  if (std::exchange(failing_, true)) {
    return std::nullopt;
  }
  return error_of(path_, reason);
}

}  // namespace hf::store
