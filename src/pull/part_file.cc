#include "pull/part_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace hf::pull {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPieceBytes = 1024 * 1024;
constexpr std::size_t kStateBytesMax = 64 * 1024;

// The path is not named: whoever shows it knows it.
Error error_of(const std::string& what, int number) {
  const std::string text = what + ": " + std::generic_category().message(number);
  if (number == ENOSPC || number == EDQUOT) {
    return {Errc::ResourceExhausted, "the disk is full", number};
  }
  if (number == EFBIG) {
    return {Errc::ResourceExhausted, "the file may not grow any more (a limit of file sizes)",
            number};
  }
  if (number == EACCES || number == EPERM || number == EROFS) {
    return {Errc::PermissionDenied, text, number};
  }
  return {number == ENOENT ? Errc::NotFound : Errc::Io, text, number};
}

// True if the path still means that open file: another process may have finished it meanwhile.
bool is_same_file(int descriptor, const fs::path& path) {
  struct stat open {};
  struct stat named {};
  return ::fstat(descriptor, &open) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

Status read_file(int descriptor, const std::function<Status(std::string_view)>& take) {
  std::string piece(kPieceBytes, '\0');
  for (off_t at = 0;;) {
    const ssize_t count = ::pread(descriptor, piece.data(), piece.size(), at);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return fail(error_of("read", errno));
    }
    if (count == 0) {
      return {};
    }
    at += count;
    if (Status good = take({piece.data(), static_cast<std::size_t>(count)}); !good) {
      return good;
    }
  }
}

// `at` moves behind what is written. The result is errno, or 0.
int write_at(int descriptor, std::string_view bytes, Bytes& at) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(descriptor, bytes.data(), bytes.size(), at.count);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return errno;
    }
    at += Bytes(count);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

Status hash_file(int descriptor, Digest& digest, const std::function<bool(Bytes)>& seen) {
  Bytes done;
  return read_file(descriptor, [&](std::string_view piece) -> Status {
    digest.add(piece);
    done += Bytes(static_cast<std::int64_t>(piece.size()));
    return seen(done) ? Status() : fail(Errc::Unavailable, "stopped");
  });
}

// A rename is on the disk once its folder is.
void sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor >= 0) {
    ::fsync(descriptor);
    ::close(descriptor);
  }
}

// Never over a file that came meanwhile. File systems that cannot promise it get a plain rename
// after a look.
int rename_new(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return 0;
  }
  if (errno != EINVAL && errno != ENOSYS) {
    return errno;
  }
  std::error_code ignored;
  if (fs::exists(to, ignored)) {
    return EEXIST;
  }
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

}  // namespace

PartFile::PartFile(fs::path target, int descriptor, Bytes size)
    : target_(std::move(target)),
      path_(target_.string() + ".part"),
      state_path_(target_.string() + ".part.json"),
      new_state_path_(target_.string() + ".part.json.new"),
      descriptor_(descriptor),
      size_(size) {}

PartFile::PartFile(PartFile&& other) noexcept
    : target_(std::move(other.target_)),
      path_(std::move(other.path_)),
      state_path_(std::move(other.state_path_)),
      new_state_path_(std::move(other.new_state_path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_) {}

PartFile::~PartFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

Result<PartFile> PartFile::open(const fs::path& target) {
  std::error_code error;
  fs::create_directories(target.parent_path(), error);
  if (error) {
    return fail(error_of("the folder cannot be made", error.value()));
  }
  const std::string path = target.string() + ".part";
  for (;;) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (descriptor < 0) {
      return fail(error_of("the file cannot be made", errno));
    }
    PartFile part(target, descriptor, Bytes(0));
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      return errno == EWOULDBLOCK
                 ? fail(Errc::Unavailable, "another holdfast pull is fetching this file")
                 : fail(error_of("the file cannot be locked", errno));
    }
    if (!is_same_file(descriptor, path)) {
      continue;
    }
    struct stat now {};
    if (::fstat(descriptor, &now) != 0) {
      return fail(error_of("the file cannot be read", errno));
    }
    part.size_ = Bytes(now.st_size);
    if (fs::exists(target, error)) {
      part.remove_if_empty();
      return fail(Errc::AlreadyExists, "the file is there");
    }
    return part;
  }
}

std::optional<PartState> PartFile::state() const {
  std::ifstream file(state_path_, std::ios::binary);
  std::string text(kStateBytesMax, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return parse_state(text);
}

// A new file each time, made under another name: what is remembered is whole whenever the machine
// stops, and no link that somebody put there is written through.
Status PartFile::remember(const PartState& state) const {
  if (this->state() == state) {
    return {};
  }
  ::unlink(new_state_path_.c_str());
  const int descriptor =
      ::open(new_state_path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    return fail(error_of("the state cannot be written", errno));
  }
  Bytes end;
  int number = write_at(descriptor, to_json(state), end);
  if (::close(descriptor) != 0 && number == 0) {
    number = errno;
  }
  if (number == 0 && ::rename(new_state_path_.c_str(), state_path_.c_str()) != 0) {
    number = errno;
  }
  return number == 0 ? Status() : fail(error_of("the state cannot be written", number));
}

Status PartFile::read_into(Digest& digest, const std::function<bool(Bytes)>& seen) const {
  return hash_file(descriptor_, digest, seen);
}

Status PartFile::append(std::string_view bytes) {
  const int number = write_at(descriptor_, bytes, size_);
  return number == 0 ? Status() : fail(error_of("write", number));
}

Status PartFile::empty() {
  if (::ftruncate(descriptor_, 0) != 0) {
    return fail(error_of("the file cannot be emptied", errno));
  }
  size_ = Bytes(0);
  return {};
}

Status PartFile::finish() {
  if (::fsync(descriptor_) != 0) {
    return fail(error_of("the file cannot be brought to the disk", errno));
  }
  if (const int number = rename_new(path_, target_); number != 0) {
    return number == EEXIST ? fail(Errc::AlreadyExists, "a file of that name came meanwhile")
                            : fail(error_of("the file cannot be renamed", number));
  }
  ::unlink(state_path_.c_str());
  ::unlink(new_state_path_.c_str());
  sync_folder(target_.parent_path());
  return {};
}

void PartFile::remove() {
  ::unlink(path_.c_str());
  ::unlink(state_path_.c_str());
  ::unlink(new_state_path_.c_str());
}

void PartFile::remove_if_empty() {
  struct stat now {};
  if (::fstat(descriptor_, &now) == 0 && now.st_size == 0) {
    remove();
  }
}

Result<Bytes> room_for_downloads(const fs::path& folder) {
  // A full disk stops more than downloads: 1 GiB stays, of a small disk a twentieth.
  constexpr std::uintmax_t kReserve = 1024UL * 1024 * 1024;
  fs::path there = folder;
  std::error_code error;
  while (!fs::exists(there, error) && there.has_relative_path()) {
    there = there.parent_path();
  }
  const fs::space_info space = fs::space(there, error);
  if (error) {
    return fail(error_of("the free space cannot be read", error.value()));
  }
  const std::uintmax_t reserve = std::min(kReserve, space.capacity / 20);
  const std::uintmax_t room = space.available > reserve ? space.available - reserve : 0;
  return Bytes(static_cast<std::int64_t>(room));
}

Result<std::string> sha256_of(const fs::path& path, const std::function<bool(Bytes)>& seen) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return fail(error_of("the file cannot be opened", errno));
  }
  Digest digest;
  const Status read = hash_file(descriptor, digest, seen);
  ::close(descriptor);
  if (!read) {
    return fail(read.error());
  }
  return digest.finish();
}

}  // namespace hf::pull
