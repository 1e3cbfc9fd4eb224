#include "config/change_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

namespace hf::config {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ChangeFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "hf-change-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    file_ = folder_ / "holdfast.toml";
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& text) const { std::ofstream(file_) << text; }
  [[nodiscard]] std::string text() const {
    std::stringstream all;
    all << std::ifstream(file_).rdbuf();
    return all.str();
  }
  [[nodiscard]] static unsigned mode(const fs::path& path) {
    return static_cast<unsigned>(fs::status(path).permissions());
  }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  static Edit append(const std::string& more) {
    return [more](std::string_view before) -> Result<std::string> {
      return std::string(before) + more;
    };
  }

  fs::path folder_;
  fs::path file_;
};

TEST_F(ChangeFile, ReplacesTheTextAndKeepsTheMode) {
  write("# ours\n");
  ASSERT_EQ(::chmod(file_.c_str(), 0640), 0);
  const auto config = change_file(file_, append("body_limit = \"1MiB\"\n"));
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->body_limit, Bytes(1 << 20));
  EXPECT_EQ(text(), "# ours\nbody_limit = \"1MiB\"\n");
  EXPECT_EQ(mode(file_), 0640U);
  EXPECT_EQ(files(), 1U) << "nothing is left beside it";
}

TEST_F(ChangeFile, MakesAFileForItsOwnerOnly) {
  ASSERT_TRUE(change_file(file_, append("[log]\n")));
  EXPECT_EQ(text(), "[log]\n");
  EXPECT_EQ(mode(file_), 0600U);
}

TEST_F(ChangeFile, LeavesALinkALink) {
  write("");
  const fs::path link = folder_ / "link.toml";
  fs::create_symlink(file_, link);
  ASSERT_TRUE(change_file(link, append("[log]\n")));
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(text(), "[log]\n");
}

TEST_F(ChangeFile, MakesTheFileThatALinkPointsTo) {
  const fs::path link = folder_ / "link.toml";
  const fs::path second = folder_ / "second.toml";
  fs::create_symlink("link.toml", second);
  fs::create_symlink("holdfast.toml", link);
  ASSERT_TRUE(change_file(second, append("[log]\n")));
  EXPECT_TRUE(fs::is_symlink(second));
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(text(), "[log]\n");
  EXPECT_EQ(mode(file_), 0600U);
}

TEST_F(ChangeFile, ALinkIntoNowhereOrToItselfIsNoPlaceForAFile) {
  const fs::path link = folder_ / "link.toml";
  fs::create_symlink(folder_ / "none" / "a.toml", link);
  EXPECT_EQ(change_file(link, append("")).error().code, Errc::NotFound);
  const fs::path ring = folder_ / "ring.toml";
  fs::create_symlink(ring, ring);
  EXPECT_FALSE(change_file(ring, append("")));
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_TRUE(fs::is_symlink(ring));
}

TEST_F(ChangeFile, ABareNameIsAFileInTheFolderWeAreIn) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_);
  EXPECT_TRUE(change_file("holdfast.toml", append("[log]\n")));
  fs::current_path(before);
  EXPECT_EQ(text(), "[log]\n");
}

TEST_F(ChangeFile, ChangesNothingThatTheServerWouldRefuse) {
  write("# ours\n");
  const auto refused = change_file(file_, append("listne = 1\n"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::InvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("nothing was changed"));
  EXPECT_THAT(refused.error().message, HasSubstr(":2:1: unknown key \"listne\""));
  EXPECT_EQ(text(), "# ours\n");
  EXPECT_EQ(files(), 1U);
}

TEST_F(ChangeFile, ChangesNothingIfTheEditFails) {
  const auto refused = change_file(
      file_, [](std::string_view) -> Result<std::string> { return fail(Errc::NotFound, "no"); });
  EXPECT_EQ(refused.error().message, "no");
  EXPECT_EQ(files(), 0U);
}

TEST_F(ChangeFile, NeedsAFolderAndARegularFile) {
  EXPECT_EQ(change_file(folder_ / "none" / "a.toml", append("")).error().code, Errc::NotFound);
  EXPECT_EQ(change_file(folder_, append("")).error().code, Errc::Io);
}

TEST_F(ChangeFile, TwoAtOnceLoseNothing) {
  constexpr int kEach = 20;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (int j = 0; j < kEach; ++j) {
        EXPECT_TRUE(change_file(file_, append("#\n")));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(text().size(), 2U * 4 * kEach);
}

TEST_F(ChangeFile, ANewFilesPlaceIsInTheUsersOwnFolder) {
  Environment environment;
  environment.directory = "/";
  environment.home = folder_.string();
  EXPECT_EQ(place_for_new_file(environment).value(),
            folder_ / ".config" / "holdfast" / "holdfast.toml");
  EXPECT_EQ(mode(folder_ / ".config" / "holdfast"), 0700U);
  environment.xdg_config_home = (folder_ / "xdg").string();
  EXPECT_EQ(place_for_new_file(environment).value(), folder_ / "xdg" / "holdfast/holdfast.toml");
  EXPECT_FALSE(place_for_new_file(Environment{}));
}

}  // namespace
}  // namespace hf::config
