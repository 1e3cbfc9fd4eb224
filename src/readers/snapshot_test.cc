#include "readers/snapshot.h"

#include <gtest/gtest.h>

#include "readers/fake_root.h"

namespace hf::readers {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kNow{5s};

// A machine of 1000000 kB with everything, 96.2 % in use, and a limit of 500 MB in version 2.
void furnish(FakeRoot& root) {
  root.file("proc/meminfo",
            "MemTotal: 1000000 kB\nMemAvailable: 38000 kB\nSwapTotal: 20 kB\nSwapFree: 5 kB\n")
      .file("proc/vmstat", "workingset_refault_file 10\npgmajfault 20\noom_kill 30\n")
      .file("proc/pressure/memory", "some avg10=1.50 avg60=0.00 avg300=0.00 total=70\n")
      .file("sys/fs/cgroup/memory.max", "500000000\n")
      .file("sys/fs/cgroup/memory.current", "495000000\n")
      .file("sys/fs/cgroup/memory.events", "oom_kill 1\n");
}

TEST(ReadSnapshot, ReadsAllOfIt) {
  FakeRoot root;
  furnish(root);
  const Snapshot snapshot = *read_snapshot(root.path(), {}, kNow);
  EXPECT_EQ(snapshot.at, kNow);
  EXPECT_EQ(snapshot.info.swap_total, 20 * kKiB);
  EXPECT_NEAR(snapshot.machine.used_percent, 99.0, 1e-9);
  EXPECT_EQ(snapshot.machine.cgroup->limit, Bytes(500000000));
  EXPECT_EQ(snapshot.cgroup_events->oom_kills, 1);
  EXPECT_DOUBLE_EQ(snapshot.pressure->some.avg10, 1.5);
  EXPECT_EQ(*snapshot.vmstat, (VmStat{10, 20, 30}));
}

TEST(ReadSnapshot, MeminfoAloneIsEnough) {
  FakeRoot root;
  EXPECT_EQ(read_snapshot(root.path(), {}, kNow).error().code, Errc::NotFound);
  root.file("proc/meminfo", "MemTotal: 1000000 kB\nMemAvailable: 38000 kB\n");
  const Snapshot snapshot = *read_snapshot(root.path(), {}, kNow);
  EXPECT_NEAR(snapshot.machine.used_percent, 96.2, 1e-9);
  EXPECT_EQ(snapshot.machine.cgroup, std::nullopt);
  EXPECT_EQ(snapshot.cgroup_events, std::nullopt);
  EXPECT_EQ(snapshot.pressure, std::nullopt);
  EXPECT_EQ(snapshot.vmstat, std::nullopt);
}

TEST(ReadSnapshot, TheTightestLimitIsTheOneWithTheLeastRoom) {
  FakeRoot root;
  furnish(root);
  EXPECT_TRUE(cgroup_is_tightest(read_snapshot(root.path(), {}, kNow)->machine));
  root.file("sys/fs/cgroup/memory.current", "1000000\n");  // more room than the machine has
  EXPECT_FALSE(cgroup_is_tightest(read_snapshot(root.path(), {}, kNow)->machine));
  EXPECT_FALSE(cgroup_is_tightest(
      read_snapshot(root.path(), Mechanisms(Mechanism::CgroupV2), kNow)->machine));
}

TEST(ReadSnapshot, StallsAreThoseOfTheCgroupWithTheTightestLimit) {
  FakeRoot root;
  furnish(root);
  const auto of_machine = root.path() / "proc/pressure/memory";
  EXPECT_EQ(read_snapshot(root.path(), {}, kNow)->pressure_from, of_machine);
  root.file("sys/fs/cgroup/memory.pressure", "some avg10=9.00 avg60=0.00 avg300=0.00 total=8\n");
  const Snapshot snapshot = *read_snapshot(root.path(), {}, kNow);
  EXPECT_EQ(snapshot.pressure->some.avg10, 9);
  EXPECT_EQ(snapshot.pressure_from, pressure_file_now(root.path(), {}));
  EXPECT_NE(snapshot.pressure_from, of_machine);
  const Mechanisms without(Mechanism::CgroupV2);
  EXPECT_EQ(read_snapshot(root.path(), without, kNow)->pressure->some.avg10, 1.5);
  EXPECT_EQ(pressure_file_now(root.path(), without), of_machine);
}

TEST(ReadSnapshot, EachMechanismCanBeSwitchedOff) {
  FakeRoot root;
  furnish(root);
  const auto without = [&](Mechanism mechanism) {
    return read_snapshot(root.path(), Mechanisms(mechanism), kNow);
  };
  EXPECT_EQ(without(Mechanism::MemInfo).error().code, Errc::Unsupported);
  EXPECT_EQ(without(Mechanism::Psi)->pressure, std::nullopt);
  EXPECT_EQ(without(Mechanism::VmStat)->vmstat, std::nullopt);
  EXPECT_EQ(without(Mechanism::CgroupV2)->machine.cgroup, std::nullopt);
  EXPECT_EQ(without(Mechanism::CgroupV2)->cgroup_events, std::nullopt);
  EXPECT_NE(without(Mechanism::CgroupV1)->machine.cgroup, std::nullopt);
}

TEST(ReadSnapshot, VersionOneIsReadWhereVersionTwoIsOff) {
  FakeRoot root;
  furnish(root);
  root.file("sys/fs/cgroup/memory/memory.limit_in_bytes", "400000000\n")
      .file("sys/fs/cgroup/memory/memory.usage_in_bytes", "100000000\n")
      .file("sys/fs/cgroup/memory/memory.oom_control", "oom_kill 9\n");
  const Snapshot snapshot = *read_snapshot(root.path(), Mechanisms(Mechanism::CgroupV2), kNow);
  EXPECT_EQ(snapshot.machine.cgroup->limit, Bytes(400000000));
  EXPECT_EQ(snapshot.cgroup_events->oom_kills, 9);
}

}  // namespace
}  // namespace hf::readers
