#include "process/run_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

namespace hf::process {
namespace {

constexpr std::string_view kPrefix = "holdfast-";
constexpr std::string_view kLockName = "lock";

tl::unexpected<Error> system_failure(const std::string& what, int error) {
  const Errc code = error == ENOENT || error == ENOTDIR                   ? Errc::NotFound
                    : error == EACCES || error == EPERM || error == EROFS ? Errc::PermissionDenied
                                                                          : Errc::Io;
  return fail(code, fmt::format("{}: {}", what, std::generic_category().message(error)), error);
}

std::string socket_name(ModelId model, Generation generation) {
  return fmt::format("m{}-g{}.sock", model.value, generation.value);
}

bool is_own_private_directory(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == ::geteuid() &&
         (info.st_mode & 077) == 0;
}

// A directory whose lock nobody holds belongs to a dead server. One without a lock is either not
// ours or just being made.
void remove_if_stale(const std::string& path) {
  if (!is_own_private_directory(path)) {
    return;
  }
  const std::string lock_path = fmt::format("{}/{}", path, kLockName);
  const UniqueFd lock(::open(lock_path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (lock.valid() && ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) {
    std::error_code ignored;  // another server may be cleaning up too
    std::filesystem::remove_all(path, ignored);
  }
}

void remove_stale_below(const std::string& base) {
  std::error_code error;
  std::filesystem::directory_iterator entry(base, error);
  const std::filesystem::directory_iterator end;
  for (; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(kPrefix)) {
      remove_if_stale(entry->path().string());
    }
  }
}

// Locked under another name first: a `lock` that exists is a lock that its living owner holds.
Result<UniqueFd> take_lock(const std::string& directory) {
  const std::string path = fmt::format("{}/{}", directory, kLockName);
  const std::string new_path = path + ".new";
  UniqueFd lock(::open(new_path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!lock.valid() || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 ||
      ::rename(new_path.c_str(), path.c_str()) != 0) {
    return system_failure(path, errno);
  }
  return lock;
}

}  // namespace

Result<RunDir> RunDir::create_below(const std::string& base) {
  const std::string longest_name =
      socket_name(ModelId(std::numeric_limits<std::uint32_t>::max()),
                  Generation(std::numeric_limits<std::uint32_t>::max()));
  std::string path = fmt::format("{}/{}XXXXXX", base, kPrefix);
  if (path.size() + 1 + longest_name.size() >= sizeof(sockaddr_un::sun_path)) {
    return fail(Errc::InvalidArgument,
                fmt::format("{}: too long a path for unix sockets below it", base));
  }
  remove_stale_below(base);
  if (::mkdtemp(path.data()) == nullptr) {  // mode 0700
    return system_failure(path, errno);
  }
  Result<UniqueFd> lock = take_lock(path);
  if (!lock) {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
    return fail(std::move(lock).error());
  }
  return RunDir(std::move(path), std::move(*lock));
}

Result<RunDir> RunDir::create() {
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime != nullptr && *runtime == '/') {
    if (Result<RunDir> made = create_below(runtime)) {
      return made;
    }
  }
  return create_below("/tmp");
}

RunDir::~RunDir() {
  if (lock_.valid()) {
    std::error_code ignored;  // what stays is removed by the next start
    std::filesystem::remove_all(path_, ignored);
  }
}

std::string RunDir::socket_path(ModelId model, Generation generation) const {
  return fmt::format("{}/{}", path_, socket_name(model, generation));
}

}  // namespace hf::process
