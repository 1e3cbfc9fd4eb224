#include "gguf/identity.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace hf::gguf {
namespace {

class Identity : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "hf-identity-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());  // of its own: tests run side by side
    write("a", "first");
  }
  void TearDown() override { std::filesystem::remove_all(path_); }
  void write(const std::string& name, const std::string& content) {
    std::ofstream(path_ / name) << content;
  }
  std::filesystem::path path_;
};

TEST_F(Identity, IsTheSameThroughALink) {
  std::filesystem::create_symlink(path_ / "a", path_ / "link");
  EXPECT_EQ(identify(path_ / "a").value(), identify(path_ / "link").value());
}

TEST_F(Identity, ChangesWhenTheFileIsReplacedUnderItsName) {
  const FileIdentity before = identify(path_ / "a").value();
  write("b", "other");  // of the same size
  std::filesystem::rename(path_ / "b", path_ / "a");
  const FileIdentity after = identify(path_ / "a").value();
  EXPECT_EQ(before.size, after.size);
  EXPECT_NE(before, after);
  EXPECT_NE(to_string(before), to_string(after));
}

TEST_F(Identity, ReportsAMissingFile) {
  EXPECT_EQ(identify(path_ / "none").error().code, Errc::NotFound);
  EXPECT_EQ(identify(path_ / "a" / "below").error().code, Errc::NotFound);
  EXPECT_EQ(identify(-1).error().code, Errc::Io);
}

TEST(IdentityKey, NamesEveryPart) {
  EXPECT_EQ(to_string(FileIdentity{1, 2, 3, -4}), "1:2:3:-4");
}

}  // namespace
}  // namespace hf::gguf
