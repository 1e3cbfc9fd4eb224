#include "readers/cgroup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "readers/fake_root.h"

namespace hf::readers {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(ParseProcSelfCgroup, ReadsVersionTwo) {
  EXPECT_EQ(parse_proc_self_cgroup("0::/system.slice/holdfast.service\n"),
            (CgroupPaths{"/system.slice/holdfast.service", std::nullopt}));
}

TEST(ParseProcSelfCgroup, ReadsVersionOneAndBothTogether) {
  EXPECT_EQ(parse_proc_self_cgroup("9:name=systemd:/\n5:cpu,memory:/box/a:b\n0::/\n"),
            (CgroupPaths{"/", "/box/a:b"}));
}

TEST(ParseProcSelfCgroup, SkipsOddLines) {
  for (const char* text : {"", "x", "0:", "0:::", "0::relative", "4:memoryx:/a", "4:memory"}) {
    EXPECT_EQ(parse_proc_self_cgroup(text).v1_memory, std::nullopt) << text;
  }
}

TEST(CgroupVersionTwo, FindsEveryLimitUpToTheRoot) {
  FakeRoot root;
  root.file("sys/fs/cgroup/a/b/memory.max", "max\n")
      .file("sys/fs/cgroup/a/b/memory.current", "100\n")
      .file("sys/fs/cgroup/a/memory.max", "4000\n")
      .file("sys/fs/cgroup/a/memory.high", "3000\n")
      .file("sys/fs/cgroup/a/memory.current", "2000\n")
      .file("sys/fs/cgroup/a/memory.stat", "anon 500\ninactive_file 800\n")
      .file("sys/fs/cgroup/memory.max", "9000\n")
      .file("sys/fs/cgroup/memory.current", "2500\n");
  const auto found = read_cgroup_limits(root.path(), {"/a/b", std::nullopt});
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0], (CgroupMemory{(root.path() / "sys/fs/cgroup/a").string(), Bytes(3000),
                                    Bytes(2000), Bytes(800)}));
  EXPECT_EQ(found[0].room(), Bytes(1800));
  EXPECT_DOUBLE_EQ(found[0].used_percent(), 40.0);
  EXPECT_EQ(found[1].limit, Bytes(9000));
  EXPECT_EQ(found[1].inactive_file, Bytes());  // no memory.stat there
}

TEST(CgroupVersionTwo, OurPathNeedNotExistInTheMountedTree) {
  FakeRoot root;
  root.file("sys/fs/cgroup/memory.max", "5000\n").file("sys/fs/cgroup/memory.current", "1\n");
  for (const char* path : {"/docker/0123", "/", "/../../outside"}) {
    EXPECT_THAT(read_cgroup_limits(root.path(), {path, std::nullopt}), SizeIs(1)) << path;
  }
  EXPECT_THAT(read_cgroup_limits(root.path(), {}), SizeIs(1));
}

TEST(CgroupVersionOne, ReadsItsOwnNames) {
  FakeRoot root;
  root.file("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "1000\n")
      .file("sys/fs/cgroup/memory/box/memory.usage_in_bytes", "700\n")
      .file("sys/fs/cgroup/memory/box/memory.stat", "inactive_file 1\ntotal_inactive_file 200\n");
  const auto found = read_cgroup_limits(root.path(), {"/", "/box"});
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].working_set(), Bytes(500));
  EXPECT_DOUBLE_EQ(found[0].used_percent(), 50.0);
}

TEST(Cgroup, PageCacheIsNoUseWhetherActiveOrNot) {
  FakeRoot root;
  root.file("sys/fs/cgroup/memory.max", "1000\n")
      .file("sys/fs/cgroup/memory.current", "900\n")
      .file("sys/fs/cgroup/memory.stat",
            "active_anon 100\ninactive_file 200\nactive_file 500\nunevictable 100\n")
      .file("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "1000\n")
      .file("sys/fs/cgroup/memory/box/memory.usage_in_bytes", "700\n")
      .file("sys/fs/cgroup/memory/box/memory.stat",
            "active_file 1\ntotal_inactive_file 200\ntotal_active_file 400\n");
  const auto found = read_cgroup_limits(root.path(), {"/", "/box"});
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].working_set(), Bytes(200));
  EXPECT_EQ(found[1].working_set(), Bytes(100));
}

TEST(Cgroup, MissingOrOddFilesMeanNoLimit) {
  FakeRoot root;
  EXPECT_THAT(read_cgroup_limits(root.path(), {"/a", "/a"}), IsEmpty());
  root.file("sys/fs/cgroup/a/memory.max", "1000\n");  // no memory.current
  EXPECT_THAT(read_cgroup_limits(root.path(), {"/a", std::nullopt}), IsEmpty());
  root.file("sys/fs/cgroup/a/memory.current", "many\n");
  EXPECT_THAT(read_cgroup_limits(root.path(), {"/a", std::nullopt}), IsEmpty());
  root.file("sys/fs/cgroup/a/memory.current", "1\n").file("sys/fs/cgroup/a/memory.max", "0\n");
  EXPECT_THAT(read_cgroup_limits(root.path(), {"/a", std::nullopt}), IsEmpty());
}

TEST(Cgroup, NeverCountsMoreCacheThanIsUsed) {
  FakeRoot root;
  root.file("sys/fs/cgroup/memory.max", "1000\n")
      .file("sys/fs/cgroup/memory.current", "100\n")
      .file("sys/fs/cgroup/memory.stat", "inactive_file 90\nactive_file 50\n");
  EXPECT_EQ(read_cgroup_limits(root.path(), {}).at(0).working_set(), Bytes(0));
}

}  // namespace
}  // namespace hf::readers
