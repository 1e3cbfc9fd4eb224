#include "readers/cgroup_events.h"

#include <gtest/gtest.h>

#include "readers/fake_root.h"

namespace hf::readers {
namespace {

TEST(ParseOomKills, ReadsBothVersions) {
  EXPECT_EQ(parse_oom_kills("low 0\nhigh 12\nmax 3\noom 2\noom_kill 1\noom_group_kill 0\n"), 1);
  EXPECT_EQ(parse_oom_kills("oom_kill_disable 0\nunder_oom 0\noom_kill 5\n"), 5);
}

TEST(ParseOomKills, IsNoneWhereTheKernelDoesNotCount) {
  EXPECT_EQ(parse_oom_kills("oom_kill_disable 0\nunder_oom 0\n"), std::nullopt);
  EXPECT_EQ(parse_oom_kills("oom_kill lots\n"), std::nullopt);
}

TEST(ReadCgroupEvents, VersionTwo) {
  FakeRoot root;
  root.file("g/memory.events", "oom 1\noom_kill 3\n")
      .file("g/memory.peak", "5000\n")
      .file("g/memory.swap.current", "70\n");
  const auto events = read_cgroup_events(root.path() / "g");
  EXPECT_EQ(*events, (CgroupEvents{(root.path() / "g").string(), 3, Bytes(5000), Bytes(70)}));
}

TEST(ReadCgroupEvents, VersionTwoBeforePeaksWereKept) {
  FakeRoot root;
  root.file("g/memory.events", "oom_kill 0\n");
  const auto events = read_cgroup_events(root.path() / "g");
  EXPECT_EQ(events->oom_kills, 0);
  EXPECT_EQ(events->peak, std::nullopt);
  EXPECT_EQ(events->swap, std::nullopt);
}

TEST(ReadCgroupEvents, VersionOne) {
  FakeRoot root;
  root.file("g/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")
      .file("g/memory.max_usage_in_bytes", "900\n")
      .file("g/memory.stat", "cache 1\nswap 4\ntotal_swap 6\n");
  const auto events = read_cgroup_events(root.path() / "g");
  EXPECT_EQ(*events, (CgroupEvents{(root.path() / "g").string(), 2, Bytes(900), Bytes(6)}));
}

TEST(ReadCgroupEvents, NoneWithoutItsFiles) {
  FakeRoot root;
  root.file("g/memory.max", "1\n");
  EXPECT_EQ(read_cgroup_events(root.path() / "g"), std::nullopt);
}

}  // namespace
}  // namespace hf::readers
