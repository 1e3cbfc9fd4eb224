#include "config/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "config/descriptor.h"

namespace hf::config {
namespace {

// Far above any configuration, far below what would hurt to read by mistake (a model's file).
constexpr std::uintmax_t kLargestFile = 4 * 1024 * 1024;

}  // namespace

Result<std::string> read_file(const std::filesystem::path& path, const std::string& name) {
  // Not blocking: a pipe without a writer must not hold a server that reads its file again.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) {
    const int reason = errno;
    const Errc code = reason == ENOENT   ? Errc::NotFound
                      : reason == EACCES ? Errc::PermissionDenied
                                         : Errc::Io;
    return fail(code,
                name + ": cannot be read: " + std::strerror(reason) + ", expected a TOML file",
                reason);
  }
  if (!S_ISREG(info.st_mode)) {
    return fail(Errc::Io, name + ": is " +
                              (S_ISDIR(info.st_mode) ? "a folder" : "not a regular file") +
                              ", expected a TOML file");
  }
  std::string text;
  std::array<char, 16384> block{};
  for (;;) {
    const ssize_t length = ::read(file.get(), block.data(), block.size());
    if (length < 0 && errno == EINTR) {
      continue;
    }
    if (length < 0) {
      return fail(Errc::Io, name + ": reading failed: " + std::strerror(errno), errno);
    }
    if (length == 0) {
      return text;
    }
    text.append(block.data(), static_cast<std::size_t>(length));
    if (text.size() > kLargestFile) {
      return fail(Errc::InvalidArgument,
                  name + ": larger than 4 MiB, expected a configuration in TOML");
    }
  }
}

}  // namespace hf::config
