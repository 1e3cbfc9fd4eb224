#include "readers/proc_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "readers/fake_root.h"

namespace hf::readers {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ReadSmallFile, GivesTheTextOrTheReason) {
  FakeRoot root;
  root.file("a/b", std::string(20000, 'x'));
  EXPECT_EQ(read_small_file(root.path() / "a/b"), std::string(20000, 'x'));
  EXPECT_EQ(read_small_file(root.path() / "a/c").error().code, Errc::NotFound);
  EXPECT_EQ(read_small_file(root.path() / "a/b/c").error().code, Errc::NotFound);
  EXPECT_EQ(read_small_file(root.path() / "a").error().code, Errc::Io);
  root.file("big", std::string(2 * 1024 * 1024, 'x'));
  EXPECT_EQ(read_small_file(root.path() / "big").error().code, Errc::Corrupt);
}

TEST(Lines, AreSplitWithoutTheirEnds) {
  EXPECT_THAT(lines_of("a\n\nb"), ElementsAre("a", "", "b"));
  EXPECT_THAT(lines_of("a\n"), ElementsAre("a"));
  EXPECT_THAT(lines_of(""), IsEmpty());
}

TEST(Words, AreSplitAtBlanks) {
  EXPECT_THAT(words_of("  a\t b  "), ElementsAre("a", "b"));
  EXPECT_THAT(words_of(" "), IsEmpty());
}

TEST(ParseNumber, TakesDigitsOnly) {
  EXPECT_EQ(parse_number("0"), 0);
  EXPECT_EQ(parse_number("9223372036854775807"), INT64_MAX);
  for (const char* word : {"", "-1", "+1", "1 ", "0x1", "9223372036854775808", "max"}) {
    EXPECT_EQ(parse_number(word), std::nullopt) << word;
  }
}

TEST(FindKib, NeedsTheWholeKeyAndTheUnit) {
  constexpr std::string_view kText = "MemTotalX: 1 kB\nMemTotal:   2 kB\nOdd: 3\nBad: x kB\n";
  EXPECT_EQ(find_kib(kText, "MemTotal"), Bytes(2048));
  EXPECT_EQ(find_kib(kText, "Mem"), std::nullopt);
  EXPECT_EQ(find_kib(kText, "Odd"), std::nullopt);
  EXPECT_EQ(find_kib(kText, "Bad"), std::nullopt);
  EXPECT_EQ(find_kib("A: 9223372036854775807 kB", "A"), std::nullopt);
}

TEST(FindStat, ReadsAFlatKeyedFile) {
  EXPECT_EQ(find_stat("anon 5\ninactive_file 7\n", "inactive_file"), Bytes(7));
  EXPECT_EQ(find_stat("anon 5\n", "file"), std::nullopt);
  EXPECT_EQ(find_stat("file x\n", "file"), std::nullopt);
}

}  // namespace
}  // namespace hf::readers
