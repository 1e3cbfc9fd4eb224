#include "readers/page_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "readers/fake_root.h"

namespace hf::readers {
namespace {

constexpr std::int64_t kSize = 8 * 1024 * 1024 + 1000;  // four windows and a bit of a page

double share(const CachedBytes& bytes) {
  return static_cast<double>(bytes.cached.count) / static_cast<double>(bytes.size.count);
}

// Puts the file on the disk and asks the kernel to forget it; false where that cannot be.
bool forget(const std::filesystem::path& path) {
  constexpr long kTmpfs = 0x01021994;
  struct statfs system {};
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool can = fd >= 0 && ::fstatfs(fd, &system) == 0 && system.f_type != kTmpfs &&
                   ::fsync(fd) == 0 && ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0;
  ::close(fd);
  return can;
}

class PageCache : public testing::Test {
 protected:
  void SetUp() override { root_.file("model", std::string(kSize, 'x')); }

  FakeRoot root_;
  std::filesystem::path path_ = root_.path() / "model";
};

TEST_F(PageCache, AFileJustWrittenIsCached) {
  const auto bytes = read_cached_bytes(path_);
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_EQ(bytes->size, Bytes(kSize));
  EXPECT_GE(share(*bytes), 0.95);
  EXPECT_LE(share(*bytes), 1.0);
}

TEST_F(PageCache, BothWaysAgree) {
  const auto expect_agreement = [this] {
    const auto second = cached_bytes_by_mincore(path_);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(second->size, Bytes(kSize));
    const auto first = cached_bytes_by_cachestat(path_);
    if (!first) {
      EXPECT_EQ(first.error().code, Errc::Unsupported);  // before Linux 6.5
      return;
    }
    EXPECT_NEAR(share(*first), share(*second), 0.03);
  };
  expect_agreement();
  if (forget(path_)) {
    expect_agreement();
  }
}

TEST_F(PageCache, AForgottenFileIsNotCached) {
  if (!forget(path_)) {
    GTEST_SKIP() << "this file system keeps its files in memory";
  }
  const auto bytes = read_cached_bytes(path_);
  ASSERT_TRUE(bytes);
  EXPECT_LT(share(*bytes), 0.5);
}

TEST_F(PageCache, ALargeSparseFileIsSampled) {
  const std::filesystem::path large = root_.path() / "large";
  root_.file("large", "x");
  std::filesystem::resize_file(large, std::uintmax_t{3} * 1024 * 1024 * 1024 + 5);
  const auto bytes = cached_bytes_by_mincore(large);
  ASSERT_TRUE(bytes) << bytes.error().message;
  EXPECT_EQ(bytes->size, Bytes(3 * kGiB) + Bytes(5));
  EXPECT_LT(share(*bytes), 0.1);
}

// In a process of its own, because there is no way back.
int exit_code_as_nobody(const std::filesystem::path& own, const std::filesystem::path& foreign) {
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (::setresgid(kNobody, kNobody, kNobody) != 0 ||
        ::setresuid(kNobody, kNobody, kNobody) != 0) {
      ::_exit(1);
    }
    if (!cached_bytes_by_mincore(own)) {
      ::_exit(2);
    }
    const auto refused = cached_bytes_by_mincore(foreign);
    ::_exit(!refused && refused.error().code == Errc::PermissionDenied ? 0 : 3);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(PageCache, WhoOwnsAFileMayAskAboutIt) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can become somebody else";
  }
  constexpr uid_t kNobody = 65534;
  root_.file("foreign", "x");
  ASSERT_EQ(::chmod(root_.path().c_str(), 0755), 0);
  ASSERT_EQ(::chown(path_.c_str(), kNobody, kNobody), 0);
  ASSERT_EQ(::chmod(path_.c_str(), 0400), 0);
  EXPECT_EQ(exit_code_as_nobody(path_, root_.path() / "foreign"), 0);
}

TEST_F(PageCache, WhoMayWriteAFileMayAskAboutIt) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can become somebody else";
  }
  root_.file("foreign", "x");
  ASSERT_EQ(::chmod(root_.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod(path_.c_str(), 0666), 0);
  EXPECT_EQ(exit_code_as_nobody(path_, root_.path() / "foreign"), 0);
}

TEST_F(PageCache, AnEmptyFileAndAMissingOne) {
  root_.file("empty", "");
  using Way = Result<CachedBytes> (*)(const std::filesystem::path&);
  const Way by_either = [](const std::filesystem::path& path) { return read_cached_bytes(path); };
  for (const Way way : {by_either, Way(cached_bytes_by_mincore)}) {
    const auto empty = way(root_.path() / "empty");
    ASSERT_TRUE(empty);
    EXPECT_EQ(empty->cached, Bytes(0));
    const auto missing = way(root_.path() / "missing");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, Errc::NotFound);
  }
}

TEST_F(PageCache, WaysThatAreSwitchedOffAreNotTaken) {
  EXPECT_TRUE(read_cached_bytes(path_, Mechanisms(Mechanism::Cachestat)));
  const auto neither =
      read_cached_bytes(path_, Mechanisms(Mechanism::Cachestat, Mechanism::Mincore));
  ASSERT_FALSE(neither);
  EXPECT_EQ(neither.error().code, Errc::Unsupported);
}

}  // namespace
}  // namespace hf::readers
