#include "store/journal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "store/file_size_limit.h"
#include "store/temporary_folder.h"

namespace hf::store {
namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Journal, AppendsLinesAcrossOpenings) {
  const TemporaryFolder folder;
  {
    Journal journal = *Journal::open(folder / "j");
    EXPECT_EQ(journal.append("{\"a\":1}"), std::nullopt);
    Journal moved = std::move(journal);
    EXPECT_EQ(moved.append("{\"b\":2}"), std::nullopt);
  }
  Journal again = *Journal::open(folder / "j");
  EXPECT_EQ(again.append("{}"), std::nullopt);
  EXPECT_EQ(text_of(folder / "j"), "{\"a\":1}\n{\"b\":2}\n{}\n");
  EXPECT_EQ(again.lost_lines(), 0U);
}

TEST(Journal, IsReadableByItsOwnerOnly) {
  const TemporaryFolder folder;
  const Journal journal = *Journal::open(folder / "j");
  struct stat info {};
  ASSERT_EQ(::stat((folder / "j").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST(Journal, SaysWhyItCannotBeOpened) {
  const TemporaryFolder folder;
  EXPECT_EQ(Journal::open(folder / "none/j").error().code, Errc::NotFound);
}

TEST(Journal, AFullDiskIsToldOnceAndCounted) {
  Journal journal = *Journal::open("/dev/full");
  const auto first = journal.append("{}");
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->code, Errc::ResourceExhausted);
  EXPECT_EQ(journal.append("{}"), std::nullopt);
  EXPECT_EQ(journal.lost_lines(), 2U);
}

TEST(Journal, ATornLineIsEndedBeforeTheNext) {
  const TemporaryFolder folder;
  Journal journal = *Journal::open(folder / "j");
  EXPECT_EQ(journal.append("{\"n\":1}"), std::nullopt);
  {
    const FileSizeLimit full(12);
    EXPECT_TRUE(journal.append("{\"n\":2}").has_value());
    EXPECT_EQ(journal.append("{\"n\":3}"), std::nullopt);
  }
  EXPECT_EQ(journal.append("{\"n\":4}"), std::nullopt);
  EXPECT_EQ(text_of(folder / "j"), "{\"n\":1}\n{\"n\"\n{\"n\":4}\n");
  EXPECT_EQ(journal.lost_lines(), 2U);
}

TEST(Journal, ANewRowOfFailuresIsToldAgain) {
  const TemporaryFolder folder;
  Journal journal = *Journal::open(folder / "j");
  for (int row = 0; row < 2; ++row) {
    const auto size = std::filesystem::file_size(folder / "j");
    {
      const FileSizeLimit full(size);
      EXPECT_TRUE(journal.append("{}").has_value());
    }
    EXPECT_EQ(journal.append("{}"), std::nullopt);
  }
  EXPECT_EQ(journal.lost_lines(), 2U);
}

}  // namespace
}  // namespace hf::store
