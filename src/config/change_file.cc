#include "config/change_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "config/descriptor.h"
#include "config/read_file.h"

namespace hf::config {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kForItsOwner = S_IRUSR | S_IWUSR;

Error from_errno(const std::string& what) {
  const int reason = errno;
  const Errc code = reason == EACCES || reason == EPERM || reason == EROFS ? Errc::PermissionDenied
                    : reason == ENOENT                                     ? Errc::NotFound
                                                                           : Errc::Io;
  return Error(code, what + ": " + std::strerror(reason), reason);
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) {
      return false;
    }
    text.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  return true;
}

// Mode and owner of the file that it will replace.
bool take_over(int fd, const fs::path& file) {
  struct stat old {};
  if (::stat(file.c_str(), &old) != 0) {
    return errno == ENOENT && ::fchmod(fd, kForItsOwner) == 0;
  }
  struct stat mine {};
  if (::fstat(fd, &mine) != 0) {
    return false;
  }
  const bool same = mine.st_uid == old.st_uid && mine.st_gid == old.st_gid;
  // The owner first: a change of it takes mode bits away.
  return (same || ::fchown(fd, old.st_uid, old.st_gid) == 0) &&
         ::fchmod(fd, old.st_mode & 07777U) == 0;
}

Result<void> replace(const fs::path& file, std::string_view text, int folder) {
  std::string part = (file.parent_path() / ("." + file.filename().string() + ".XXXXXX")).string();
  const Descriptor fd(::mkostemp(part.data(), O_CLOEXEC));
  if (fd.get() < 0) {
    return fail(from_errno(file.string() + ": no new file can be made beside it"));
  }
  if (!take_over(fd.get(), file) || !write_all(fd.get(), text) || ::fsync(fd.get()) != 0 ||
      ::rename(part.c_str(), file.c_str()) != 0) {
    Error error = from_errno(file.string() + ": cannot be replaced");
    ::unlink(part.c_str());
    return fail(std::move(error));
  }
  if (::fsync(folder) != 0 && errno != EINVAL && errno != ENOTSUP) {
    return fail(from_errno(file.string() + ": was replaced, but may not be so after a power cut"));
  }
  return {};
}

Result<Config> checked(const std::string& text, const fs::path& file,
                       const Environment& environment) {
  auto config = parse_config(text, file.string(), {}, environment);
  if (config) {
    return std::move(*config);
  }
  std::string mistakes;
  for (const ConfigError& error : config.error()) {
    mistakes += "\n" + error.text();
  }
  return fail(Errc::InvalidArgument,
              "nothing was changed, because the server would refuse the "
              "file then:" +
                  mistakes);
}

bool is_link(const fs::path& path) {
  std::error_code error;
  return fs::is_symlink(fs::symlink_status(path, error));
}

// The file itself, behind all links: also behind one whose target is not there yet, which
// weakly_canonical() takes for a new file.
Result<fs::path> behind_links(const fs::path& file) {
  constexpr int kLinksMax = 40;  // as many as Linux follows
  std::error_code error;
  // Absolute first: a bare name of a new file would have no folder.
  fs::path real = fs::weakly_canonical(fs::absolute(file, error), error);
  for (int i = 0; !error && i < kLinksMax && is_link(real); ++i) {
    const fs::path target = fs::read_symlink(real, error);
    if (!error) {
      real = fs::weakly_canonical(real.parent_path() / target, error);
    }
  }
  if (error) {
    return fail(Errc::Io, file.string() + ": " + error.message(), error.value());
  }
  return real;
}

}  // namespace

Result<Config> change_file(const fs::path& file, const Edit& edit, const Environment& environment) {
  const Result<fs::path> found = behind_links(file);
  if (!found) {
    return fail(found.error());
  }
  const fs::path& real = *found;
  const Descriptor folder(::open(real.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) {
    return fail(from_errno(real.parent_path().string() + ": no folder that can be used"));
  }
  // Two commands one after the other; where a file system knows no locks they are rare enough.
  while (::flock(folder.get(), LOCK_EX) != 0 && errno == EINTR) {
  }
  Result<std::string> before = read_file(real, file.string());
  if (!before && before.error().code == Errc::NotFound) {
    before = std::string();
  }
  if (!before) {
    return fail(std::move(before.error()));
  }
  const Result<std::string> after = edit(*before);
  if (!after) {
    return fail(after.error());
  }
  Result<Config> config = checked(*after, file, environment);
  if (!config) {
    return config;
  }
  if (const Result<void> replaced = replace(real, *after, folder.get()); !replaced) {
    return fail(replaced.error());
  }
  return config;
}

Result<fs::path> place_for_new_file(const Environment& environment) {
  fs::path folder;
  if (environment.xdg_config_home.starts_with('/')) {
    folder = environment.xdg_config_home;
  } else if (!environment.home.empty()) {
    folder = fs::path(environment.home) / ".config";
  } else {
    return fail(Errc::NotFound, "no home folder is known, expected --config FILE");
  }
  std::error_code error;
  fs::create_directories(folder, error);
  folder /= "holdfast";
  if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return fail(from_errno(folder.string() + ": cannot be made"));
  }
  return folder / "holdfast.toml";
}

}  // namespace hf::config
