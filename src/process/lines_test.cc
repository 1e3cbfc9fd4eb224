#include "process/lines.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace hf::process {
namespace {

using testing::ElementsAre;

std::vector<std::string> lines_of(const std::vector<std::string>& chunks) {
  std::vector<std::string> lines;
  const auto keep = [&lines](std::string_view line) { lines.emplace_back(line); };
  LineBuffer buffer;
  for (const std::string& chunk : chunks) {
    buffer.feed(chunk, keep);
  }
  buffer.finish(keep);
  return lines;
}

TEST(LineBuffer, CutsLinesWhereverTheChunksEnd) {
  EXPECT_THAT(lines_of({"a\nb", "c\n", "\n", "d"}), ElementsAre("a", "bc", "", "d"));
  EXPECT_THAT(lines_of({"a\r\nb\r", "\n"}), ElementsAre("a", "b"));
  EXPECT_THAT(lines_of({}), ElementsAre());
}

TEST(LineBuffer, CutsALineThatIsTooLongAndGoesOnWithTheNext) {
  const std::string half(kLineBytesMax / 2 + 7, 'x');
  EXPECT_THAT(lines_of({half, half, half + "\nnext\n"}),
              ElementsAre(std::string(kLineBytesMax, 'x'), "next"));
}

TEST(LogTail, KeepsTheLastLinesWithinItsBound) {
  LogTail tail;
  for (int i = 0; i < 10000; ++i) {
    tail.append("line number " + std::to_string(i));
  }
  const std::string text = tail.text();
  EXPECT_LE(text.size(), kTailBytesMax);
  EXPECT_EQ(text.size(), tail.size_bytes());
  EXPECT_GT(text.size(), kTailBytesMax - 100);
  EXPECT_TRUE(text.ends_with("line number 9999\n"));
}

TEST(LogTail, FindsASignOfMemoryAmongTheKeptLinesOnly) {
  LogTail tail;
  tail.append("CUDA error: out of memory");
  EXPECT_TRUE(tail.says_out_of_memory());
  for (int i = 0; i < 10; ++i) {
    tail.append(std::string(kLineBytesMax, 'x'));
  }
  EXPECT_FALSE(tail.says_out_of_memory());
}

}  // namespace
}  // namespace hf::process
