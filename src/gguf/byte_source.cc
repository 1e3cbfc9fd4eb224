#include "gguf/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace hf::gguf {

Result<std::size_t> MemorySource::read_at(std::uint64_t offset, std::span<std::byte> into) {
  if (offset >= bytes_.size()) {
    return std::size_t{0};
  }
  const std::span<const std::byte> rest = bytes_.subspan(static_cast<std::size_t>(offset));
  const std::size_t count = std::min(rest.size(), into.size());
  std::copy_n(rest.begin(), count, into.begin());
  return count;
}

Result<FileSource> FileSource::open(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a fifo that nobody writes to must not hang the caller.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    const int error = errno;
    const Errc code = error == ENOENT   ? Errc::NotFound
                      : error == EACCES ? Errc::PermissionDenied
                                        : Errc::Io;
    return fail(code, std::string("cannot open the model file: ") + std::strerror(error), error);
  }
  struct stat info {};
  if (::fstat(descriptor, &info) != 0) {
    const int error = errno;
    ::close(descriptor);
    return fail(Errc::Io, std::string("cannot examine the model file: ") + std::strerror(error),
                error);
  }
  if (!S_ISREG(info.st_mode)) {
    ::close(descriptor);
    return fail(Errc::Unsupported, "not a regular file");
  }
  return FileSource(descriptor, static_cast<std::uint64_t>(info.st_size));
}

FileSource::FileSource(FileSource&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

FileSource::~FileSource() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

Result<std::size_t> FileSource::read_at(std::uint64_t offset, std::span<std::byte> into) {
  for (;;) {
    const ssize_t count =
        ::pread(descriptor_, into.data(), into.size(), static_cast<off_t>(offset));
    if (count >= 0) {
      return static_cast<std::size_t>(count);
    }
    if (errno != EINTR) {
      const int error = errno;
      return fail(Errc::Io, std::string("cannot read the model file: ") + std::strerror(error),
                  error);
    }
  }
}

}  // namespace hf::gguf
