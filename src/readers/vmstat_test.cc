#include "readers/vmstat.h"

#include <gtest/gtest.h>

#include "readers/fake_root.h"

namespace hf::readers {
namespace {

TEST(ParseVmstat, ReadsTheThreeCounters) {
  const VmStat stat = parse_vmstat(
      "nr_free_pages 5810352\nworkingset_refault_anon 3\nworkingset_refault_file 1234\n"
      "pgfault 99\npgmajfault 77\noom_kill 2\n");
  EXPECT_EQ(stat, (VmStat{1234, 77, 2}));
}

TEST(ParseVmstat, KnowsTheNameBeforeLinux59) {
  EXPECT_EQ(parse_vmstat("workingset_refault 8\n").refaults, 8);
}

TEST(ParseVmstat, LeavesOutWhatIsMissingOrOdd) {
  EXPECT_EQ(parse_vmstat(""), VmStat{});
  EXPECT_EQ(parse_vmstat("oom_kill many\npgmajfault -1\nworkingset_refault_file\n"), VmStat{});
  EXPECT_EQ(parse_vmstat("oom_killer 5\n"), VmStat{});
}

TEST(ReadVmstat, ReadsBelowTheRoot) {
  FakeRoot root;
  EXPECT_EQ(read_vmstat(root.path()).error().code, Errc::NotFound);
  root.file("proc/vmstat", "oom_kill 4\n");
  EXPECT_EQ(read_vmstat(root.path())->oom_kills, 4);
}

}  // namespace
}  // namespace hf::readers
