#include "pull/part_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

namespace hf::pull {
namespace {

namespace fs = std::filesystem;

class PartFiles : public testing::Test {
 protected:
  PartFiles() {
    std::string pattern = (fs::temp_directory_path() / "hf-part-XXXXXX").string();
    dir_ = ::mkdtemp(pattern.data());
  }
  ~PartFiles() override { fs::remove_all(dir_); }

  static PartState state(std::string etag) { return {"https://h/a", std::move(etag), "", {}, ""}; }

  [[nodiscard]] std::string content(const char* name) const {
    std::ostringstream text;
    text << std::ifstream(dir_ / name).rdbuf();
    return text.str();
  }
  [[nodiscard]] ino_t inode(const char* name) const {
    struct stat now {};
    return ::stat((dir_ / name).c_str(), &now) == 0 ? now.st_ino : 0;
  }

  fs::path dir_;
};

TEST_F(PartFiles, WhatIsRememberedIsReplacedAndNotWrittenOver) {
  auto part = PartFile::open(dir_ / "a.gguf");
  ASSERT_TRUE(part);
  ASSERT_TRUE(part->remember(state("\"1\"")));
  const ino_t first = inode("a.gguf.part.json");
  ASSERT_TRUE(part->remember(state("\"1\"")));
  EXPECT_EQ(inode("a.gguf.part.json"), first) << "nothing is new";
  fs::create_hard_link(dir_ / "a.gguf.part.json", dir_ / "kept");
  ASSERT_TRUE(part->remember(state("\"2\"")));
  EXPECT_EQ(part->state(), state("\"2\""));
  EXPECT_EQ(parse_state(content("kept")), state("\"1\""));
  EXPECT_FALSE(fs::exists(dir_ / "a.gguf.part.json.new"));
}

TEST_F(PartFiles, NoLinkIsWrittenThrough) {
  std::ofstream(dir_ / "precious") << "mine";
  fs::create_symlink(dir_ / "precious", dir_ / "a.gguf.part.json");
  fs::create_symlink(dir_ / "precious", dir_ / "a.gguf.part.json.new");
  auto part = PartFile::open(dir_ / "a.gguf");
  ASSERT_TRUE(part);
  ASSERT_TRUE(part->remember(state("\"1\"")));
  EXPECT_EQ(part->state(), state("\"1\""));
  EXPECT_FALSE(fs::is_symlink(dir_ / "a.gguf.part.json"));
  EXPECT_EQ(content("precious"), "mine");
}

TEST_F(PartFiles, WhatAStopLeftGoesWithThePart) {
  std::ofstream(dir_ / "a.gguf.part.json.new") << "{";
  auto part = PartFile::open(dir_ / "a.gguf");
  ASSERT_TRUE(part);
  ASSERT_TRUE(part->append("GGUF"));
  ASSERT_TRUE(part->finish());
  EXPECT_EQ(std::distance(fs::directory_iterator(dir_), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace hf::pull
