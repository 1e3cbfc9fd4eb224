#include "process/run_dir.h"

#include <sys/stat.h>

#include <limits>
#include <optional>

#include "process/child_fixture.h"

namespace hf::process {
namespace {

class RunDirTest : public testing::Test {
 protected:
  TemporaryDirectory base_;
};

TEST_F(RunDirTest, IsPrivateAndGoesWithItsOwner) {
  std::string path;
  {
    const Result<RunDir> run = RunDir::create_below(base_.path());
    ASSERT_TRUE(run.has_value()) << run.error().message;
    path = run->path();
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0700U);
    write_text(run->socket_path(ModelId(0), Generation(1)), "left over");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(RunDirTest, NamesASocketForEachGeneration) {
  const Result<RunDir> run = RunDir::create_below(base_.path());
  ASSERT_TRUE(run.has_value());
  const std::string first = run->socket_path(ModelId(1), Generation(1));
  EXPECT_TRUE(first.starts_with(run->path() + "/"));
  EXPECT_TRUE(first.ends_with(".sock"));
  EXPECT_NE(first, run->socket_path(ModelId(1), Generation(2)));
  EXPECT_NE(first, run->socket_path(ModelId(2), Generation(1)));
  EXPECT_NE(run->socket_path(ModelId(1), Generation(11)),
            run->socket_path(ModelId(11), Generation(1)));
  constexpr auto kMax = std::numeric_limits<std::uint32_t>::max();
  EXPECT_LT(run->socket_path(ModelId(kMax), Generation(kMax)).size(), 108U);
}

TEST_F(RunDirTest, LeavesLivingServersAndForeignFilesAlone) {
  const Result<RunDir> living = RunDir::create_below(base_.path());
  ASSERT_TRUE(living.has_value());
  // What a dead server leaves: a directory with a lock that nobody holds.
  const std::string dead = base_.file("holdfast-dead00");
  std::filesystem::create_directory(dead);
  std::filesystem::permissions(dead, std::filesystem::perms::owner_all);
  write_text(dead + "/lock", "");
  write_text(dead + "/m1-g1.sock", "");
  // Not ours: no lock inside; open to others; a file; a link to elsewhere; another name.
  const std::string unlocked = base_.file("holdfast-notes");
  std::filesystem::create_directory(unlocked);
  std::filesystem::permissions(unlocked, std::filesystem::perms::owner_all);
  const std::string open = base_.file("holdfast-open00");
  std::filesystem::create_directory(open);
  std::filesystem::permissions(open, std::filesystem::perms(0755));
  write_text(open + "/lock", "");
  write_text(base_.file("holdfast-file00"), "");
  const std::string other = base_.file("other");
  std::filesystem::create_directory(other);
  std::filesystem::permissions(other, std::filesystem::perms::owner_all);
  write_text(other + "/lock", "");
  std::filesystem::create_symlink(other, base_.file("holdfast-link00"));

  const Result<RunDir> next = RunDir::create_below(base_.path());
  ASSERT_TRUE(next.has_value());
  EXPECT_NE(next->path(), living->path());
  EXPECT_FALSE(std::filesystem::exists(dead));
  EXPECT_TRUE(std::filesystem::exists(living->path() + "/lock"));
  EXPECT_TRUE(std::filesystem::exists(unlocked));
  EXPECT_TRUE(std::filesystem::exists(open + "/lock"));
  EXPECT_TRUE(std::filesystem::exists(base_.file("holdfast-file00")));
  EXPECT_TRUE(std::filesystem::exists(other + "/lock"));
}

TEST_F(RunDirTest, RefusesABaseThatCannotHoldIt) {
  const Result<RunDir> missing = RunDir::create_below(base_.file("none"));
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, Errc::NotFound);
  const Result<RunDir> deep = RunDir::create_below("/tmp/" + std::string(80, 'd'));
  ASSERT_FALSE(deep.has_value());
  EXPECT_EQ(deep.error().code, Errc::InvalidArgument);
}

TEST_F(RunDirTest, PrefersTheUsersRuntimeDirectory) {
  ASSERT_EQ(::setenv("XDG_RUNTIME_DIR", base_.path().c_str(), 1), 0);
  const Result<RunDir> run = RunDir::create();
  ASSERT_EQ(::setenv("XDG_RUNTIME_DIR", base_.file("none").c_str(), 1), 0);
  const Result<RunDir> fallback = RunDir::create();
  ASSERT_EQ(::unsetenv("XDG_RUNTIME_DIR"), 0);
  ASSERT_TRUE(run.has_value());
  EXPECT_TRUE(run->path().starts_with(base_.path() + "/holdfast-"));
  ASSERT_TRUE(fallback.has_value());
  EXPECT_TRUE(fallback->path().starts_with("/tmp/holdfast-"));
}

}  // namespace
}  // namespace hf::process
