#include "app/gnuplot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace hf::app {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Gnuplot : public ::testing::Test {
 protected:
  Gnuplot() {
    std::string name = (fs::temp_directory_path() / "hf-gnuplot-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~Gnuplot() override { fs::remove_all(folder_); }
  [[nodiscard]] fs::path file(const char* name) const { return folder_ / name; }

  static std::string text_of(const fs::path& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator{}));
  }

 private:
  fs::path folder_;
};

TEST_F(Gnuplot, DrawsTheScriptIntoTheFile) {
  const Status drawn =
      draw_with_gnuplot("set terminal svg\nplot x with lines title 'line'\n", file("a.svg"));
  ASSERT_TRUE(drawn.has_value()) << drawn.error().message;
  EXPECT_THAT(text_of(file("a.svg")), HasSubstr("</svg>"));
  EXPECT_EQ(files(), 1U);
}

TEST_F(Gnuplot, AFailureLeavesTheOldFile) {
  std::ofstream(file("a.svg")) << "old";
  const Status drawn = draw_with_gnuplot("set terminal svg\nplot nonsense(\n", file("a.svg"));
  ASSERT_FALSE(drawn.has_value());
  EXPECT_EQ(drawn.error().code, Errc::Unsupported);
  EXPECT_EQ(text_of(file("a.svg")), "old");
  EXPECT_EQ(files(), 1U);
}

TEST_F(Gnuplot, ScriptsLongerThanAPipeArrive) {
  const std::string comment = "# " + std::string(300'000, '-') + "\n";
  const Status drawn =
      draw_with_gnuplot(comment + "set terminal svg\nplot x with lines\n", file("a.svg"));
  EXPECT_TRUE(drawn.has_value()) << drawn.error().message;
}

TEST_F(Gnuplot, SaysThatItIsNotInstalled) {
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", file("").c_str(), 1);
  const Status drawn = draw_with_gnuplot("set terminal svg\nplot x\n", file("a.svg"));
  ::setenv("PATH", path.c_str(), 1);
  ASSERT_FALSE(drawn.has_value());
  EXPECT_EQ(drawn.error().code, Errc::NotFound);
  EXPECT_EQ(files(), 0U);
}

TEST_F(Gnuplot, SaysThatTheFileCannotBeWritten) {
  const Status drawn = draw_with_gnuplot("set terminal svg\nplot x\n", file("none/a.svg"));
  ASSERT_FALSE(drawn.has_value());
  EXPECT_EQ(drawn.error().code, Errc::Io);
}

}  // namespace
}  // namespace hf::app
