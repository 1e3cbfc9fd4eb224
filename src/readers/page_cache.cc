#include "readers/page_cache.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace hf::readers {
namespace {

// The C library of Debian 12 knows neither the number nor the structures. Source: cachestat(2).
#ifdef SYS_cachestat
constexpr long kCachestat = SYS_cachestat;
#else
constexpr long kCachestat = 451;  // the same on every architecture
#endif
struct CachestatRange {
  std::uint64_t offset;
  std::uint64_t length;  // 0: to the end of the file
};
struct Cachestat {
  std::uint64_t cached_pages;
  std::uint64_t dirty;
  std::uint64_t writeback;
  std::uint64_t evicted;
  std::uint64_t recently_evicted;
};

// A file of up to kWindows x kWindow bytes is looked at whole; of a larger one, as much in evenly
// spaced windows. The kernel caches and forgets long runs, so that few windows tell enough.
constexpr std::int64_t kWindow = 2 * 1024 * 1024;
constexpr std::int64_t kWindows = 128;

class OpenFile {
 public:
  explicit OpenFile(int fd) : fd_(fd) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  OpenFile(OpenFile&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        size_(other.size_),
        owner_(other.owner_),
        writable_(other.writable_) {}
  ~OpenFile() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  [[nodiscard]] int fd() const { return fd_; }

  static Result<OpenFile> open(const std::filesystem::path& path);
  [[nodiscard]] std::int64_t size() const { return size_; }
  // mincore(2) answers "all cached" to those who are neither owner nor may write (Linux 5.2).
  [[nodiscard]] bool may_ask() const {
    return owner_ == ::geteuid() || ::geteuid() == 0 || writable_;
  }

 private:
  int fd_;
  std::int64_t size_ = 0;
  uid_t owner_ = 0;
  bool writable_ = false;
};

tl::unexpected<Error> failed(const char* what, int reason) {
  const Errc code = reason == ENOENT                      ? Errc::NotFound
                    : reason == EACCES || reason == EPERM ? Errc::PermissionDenied
                    : reason == ENOSYS                    ? Errc::Unsupported
                                                          : Errc::Io;
  return fail(code, std::string("page cache: ") + what + ": " + std::strerror(reason), reason);
}

Result<OpenFile> OpenFile::open(const std::filesystem::path& path) {
  // Not blocking: a pipe that lies in the folder must not hold us.
  OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.fd_ < 0) {
    return failed("open", errno);
  }
  struct stat info {};
  if (::fstat(file.fd_, &info) != 0) {
    return failed("fstat", errno);
  }
  file.size_ = info.st_size;
  file.owner_ = info.st_uid;
  file.writable_ = ::access(path.c_str(), W_OK) == 0;
  return file;
}

CachedBytes bytes_of(std::uint64_t pages, std::int64_t size) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::uint64_t cached = std::min(pages * page, static_cast<std::uint64_t>(size));
  return {Bytes(static_cast<std::int64_t>(cached)), Bytes(size)};
}

// Cached pages of one window; `offset` is a multiple of the page size.
Result<std::int64_t> pages_in_memory(int fd, std::int64_t offset, std::int64_t length) {
  const auto page = static_cast<std::int64_t>(::sysconf(_SC_PAGESIZE));
  const auto bytes = static_cast<std::size_t>(length);
  void* window = ::mmap(nullptr, bytes, PROT_NONE, MAP_SHARED, fd, offset);
  if (window == MAP_FAILED) {
    return failed("mmap", errno);
  }
  std::vector<unsigned char> pages(static_cast<std::size_t>((length + page - 1) / page));
  const int rc = ::mincore(window, bytes, pages.data());
  const int reason = errno;
  ::munmap(window, bytes);
  if (rc != 0) {
    return failed("mincore", reason);
  }
  return std::count_if(pages.begin(), pages.end(), [](unsigned char p) { return (p & 1U) != 0; });
}

}  // namespace

Result<CachedBytes> cached_bytes_by_cachestat(const std::filesystem::path& path) {
  const auto file = OpenFile::open(path);
  if (!file) {
    return fail(file.error());
  }
  CachestatRange range{0, 0};
  Cachestat stat{};
  if (::syscall(kCachestat, file->fd(), &range, &stat, 0) != 0) {
    return failed("cachestat", errno);
  }
  return bytes_of(stat.cached_pages, file->size());
}

Result<CachedBytes> cached_bytes_by_mincore(const std::filesystem::path& path) {
  const auto file = OpenFile::open(path);
  if (!file) {
    return fail(file.error());
  }
  if (!file->may_ask()) {
    return failed("mincore", EPERM);
  }
  const std::int64_t size = file->size();
  const bool whole = size <= kWindow * kWindows;
  std::int64_t seen = 0;
  std::int64_t cached = 0;
  for (std::int64_t i = 0; i < kWindows; ++i) {
    const std::int64_t stride = whole ? kWindow : size / kWindows;
    const std::int64_t offset = i * stride / kWindow * kWindow;
    const std::int64_t length = std::min(kWindow, size - offset);
    if (length <= 0) {
      break;
    }
    const auto pages = pages_in_memory(file->fd(), offset, length);
    if (!pages) {
      return fail(pages.error());
    }
    seen += length;
    cached += std::min(length, *pages * static_cast<std::int64_t>(::sysconf(_SC_PAGESIZE)));
  }
  const double share = seen == 0 ? 0 : static_cast<double>(cached) / static_cast<double>(seen);
  return CachedBytes{Bytes(static_cast<std::int64_t>(share * static_cast<double>(size))),
                     Bytes(size)};
}

Result<CachedBytes> read_cached_bytes(const std::filesystem::path& path,
                                      const Mechanisms& without) {
  if (!without.has(Mechanism::Cachestat)) {
    auto bytes = cached_bytes_by_cachestat(path);
    if (bytes || bytes.error().code == Errc::NotFound) {
      return bytes;
    }
  }
  // An older kernel, a filter of system calls, a file system without it.
  if (without.has(Mechanism::Mincore)) {
    return fail(Errc::Unsupported, "page cache: mincore is switched off");
  }
  return cached_bytes_by_mincore(path);
}

}  // namespace hf::readers
