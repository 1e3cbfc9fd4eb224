#include "readers/meminfo.h"

#include <gtest/gtest.h>

#include "readers/fake_root.h"

namespace hf::readers {
namespace {

constexpr std::string_view kText =
    "MemTotal:       24684084 kB\n"
    "MemFree:        24450408 kB\n"
    "MemAvailable:   24386424 kB\n"
    "Buffers:            1380 kB\n"
    "SwapTotal:          2048 kB\n"
    "SwapFree:           1024 kB\n"
    "HugePages_Total:       0\n";

TEST(ParseMeminfo, ReadsWhatTheKernelWrites) {
  EXPECT_EQ(*parse_meminfo(kText), (MemInfo{24684084 * kKiB, 24386424 * kKiB, 2 * kMiB, kMiB}));
}

TEST(ParseMeminfo, WorksWithTheTwoLinesThatMatter) {
  EXPECT_EQ(parse_meminfo("MemTotal: 100 kB\nMemAvailable: 40 kB\n")->available, 40 * kKiB);
}

TEST(ParseMeminfo, NeverCallsMoreAvailableThanThereIs) {
  EXPECT_EQ(parse_meminfo("MemTotal: 100 kB\nMemAvailable: 400 kB\n")->available, 100 * kKiB);
}

TEST(ParseMeminfo, RefusesWhatIsNoMeminfo) {
  for (const char* text :
       {"", "MemTotal: 100 kB\n", "MemAvailable: 1 kB\n", "MemTotal: 0 kB\nMemAvailable: 0 kB\n",
        "MemTotal: -5 kB\nMemAvailable: 1 kB\n"}) {
    EXPECT_EQ(parse_meminfo(text).error().code, Errc::Corrupt) << text;
  }
}

TEST(ReadMeminfo, ReadsBelowTheGivenRoot) {
  FakeRoot root;
  EXPECT_EQ(read_meminfo(root.path()).error().code, Errc::NotFound);
  root.file("proc/meminfo", kText);
  EXPECT_EQ(read_meminfo(root.path())->total, 24684084 * kKiB);
}

TEST(ReadMeminfo, ReadsTheRealMachine) {
  EXPECT_GT(read_meminfo("/")->total, Bytes());
}

}  // namespace
}  // namespace hf::readers
