#include "gguf/identity.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

namespace hf::gguf {
namespace {

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

FileIdentity identity_of(const struct stat& info) {
  FileIdentity identity;
  identity.dev = info.st_dev;
  identity.ino = info.st_ino;
  identity.size = static_cast<std::uint64_t>(info.st_size);
  identity.mtime_ns = info.st_mtim.tv_sec * kNanosecondsPerSecond + info.st_mtim.tv_nsec;
  return identity;
}

tl::unexpected<Error> stat_error(int error) {
  const Errc code = error == ENOENT || error == ENOTDIR ? Errc::NotFound
                    : error == EACCES                   ? Errc::PermissionDenied
                                                        : Errc::Io;
  return fail(code, std::string("cannot examine the model file: ") + std::strerror(error), error);
}

}  // namespace

Result<FileIdentity> identify(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return stat_error(errno);
  }
  return identity_of(info);
}

Result<FileIdentity> identify(int descriptor) {
  struct stat info {};
  if (::fstat(descriptor, &info) != 0) {
    return stat_error(errno);
  }
  return identity_of(info);
}

std::string to_string(const FileIdentity& identity) {
  return std::to_string(identity.dev) + ":" + std::to_string(identity.ino) + ":" +
         std::to_string(identity.size) + ":" + std::to_string(identity.mtime_ns);
}

}  // namespace hf::gguf
