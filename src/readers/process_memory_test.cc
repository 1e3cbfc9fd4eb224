#include "readers/process_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "readers/fake_root.h"

namespace hf::readers {
namespace {

constexpr std::string_view kStatus =
    "Name:\tllama-server\nState:\tS (sleeping)\nVmPeak:\t  900000 kB\nVmHWM:\t  700000 kB\n"
    "VmRSS:\t  650000 kB\nRssAnon:\t  200000 kB\nRssFile:\t  440000 kB\nRssShmem:\t   10000 kB\n";
constexpr std::string_view kRollup =
    "5623e58b3000-7ffdc2e62000 ---p 00000000 00:00 0   [rollup]\nRss:  650000 kB\n"
    "Pss:  430000 kB\nPss_Anon:  200000 kB\nPss_File:  220000 kB\n";

TEST(ParseProcessStatus, ReadsTheParts) {
  const ProcessMemory memory = *parse_process_status(kStatus);
  EXPECT_EQ(memory.rss_anon, 200000 * kKiB);
  EXPECT_EQ(memory.rss_file, 440000 * kKiB);
  EXPECT_EQ(memory.high_water, 700000 * kKiB);
  EXPECT_EQ(memory.resident(), 650000 * kKiB);
}

TEST(ParseProcessStatus, AnEndedProcessHasNoMemory) {
  EXPECT_EQ(parse_process_status("Name:\tx\nState:\tZ (zombie)\n").error().code, Errc::NotFound);
}

TEST(ReadProcessMemory, SharedPagesCountByTheirShare) {
  FakeRoot root;
  root.file("42/status", kStatus);
  EXPECT_EQ(read_process_memory(42, root.path())->pss_file, std::nullopt);
  root.file("42/smaps_rollup", kRollup);
  EXPECT_EQ(read_process_memory(42, root.path())->resident(), 430000 * kKiB);
  EXPECT_EQ(read_process_memory(42, root.path(), Mechanisms(Mechanism::SmapsRollup))->pss_file,
            std::nullopt);
  EXPECT_EQ(read_process_memory(43, root.path()).error().code, Errc::NotFound);
}

TEST(ReadProcessMemory, TheKernelsMarkCountsLessWhatIsShared) {
  FakeRoot root;
  root.file("42/status", kStatus);
  root.file("42/smaps_rollup", kRollup);
  // 50,000 more than now were resident once; 220,000 of 440,000 of its files count to others.
  EXPECT_EQ(read_process_memory(42, root.path())->peak(), 480000 * kKiB);
  EXPECT_EQ(read_process_status(42, root.path())->peak(), 700000 * kKiB);
}

TEST(ReadProcessMemory, ReadsARealProcess) {
  const auto memory = read_process_memory(getpid());
  ASSERT_TRUE(memory.has_value());
  EXPECT_GT(memory->rss_anon, Bytes());
  EXPECT_GE(memory->high_water, memory->rss_anon);
}

}  // namespace
}  // namespace hf::readers
