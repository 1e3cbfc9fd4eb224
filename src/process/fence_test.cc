#include "process/fence.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "process/child_fixture.h"

namespace hf::process {
namespace {

using testing::HasSubstr;

// What the tests may take of the real hierarchies; the child is killed far below it.
constexpr Bytes kLimit = 64 * kMiB;
constexpr Bytes kBomb = 512 * kMiB;

std::string own_line(const std::string& controller) {
  const std::string text = read_text("/proc/self/cgroup");
  const std::size_t at = text.find(controller);
  if (at == std::string::npos) {
    return "/";
  }
  const std::size_t path = text.find('/', at);
  return text.substr(path, text.find('\n', path) - path);
}

// This test's own cgroups, as the kernel mounts them here.
Result<MemoryCgroups> real_cgroups() {
  return MemoryCgroups::open("/sys/fs/cgroup", {own_line("0::"), own_line(":memory:")});
}

class FenceTree : public ChildFixture {
 protected:
  void folder(const std::string& name) const {
    std::filesystem::create_directories(directory_.file(name));
  }
  void file(const std::string& name, const std::string& text) const {
    folder(name.substr(0, name.rfind('/')));
    write_text(directory_.file(name), text);
  }
  [[nodiscard]] std::string text_of(const std::string& name) const {
    return read_text(directory_.file(name));
  }
};

TEST_F(FenceTree, VersionTwoIsUsedWhereTheControllerIsOurs) {
  file("user.slice/cgroup.controllers", "cpu memory pids\n");
  file("user.slice/cgroup.subtree_control", "memory\n");
  auto cgroups = MemoryCgroups::open(directory_.path(), {"/user.slice", "/x"});
  ASSERT_TRUE(cgroups.has_value());
  EXPECT_TRUE(cgroups->is_v2());
  const auto made = cgroups->make("3-1", kLimit);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(*made, directory_.file(fmt::format("user.slice/holdfast-{}-3-1", ::getpid())));
  EXPECT_EQ(read_text(*made + "/memory.max"), "67108864");
  EXPECT_EQ(read_text(*made + "/memory.swap.max"), "0");
}

TEST_F(FenceTree, TheServerMovesAsideWhereItMust) {
  file("unit/cgroup.controllers", "memory\n");
  // As the kernel refuses it while we are in the cgroup ourselves: not writable.
  folder("unit/cgroup.subtree_control");
  const auto cgroups = MemoryCgroups::open(directory_.path(), {"/unit", std::nullopt});
  ASSERT_FALSE(cgroups.has_value());
  EXPECT_EQ(cgroups.error().code, Errc::Io);
  // It tried from its own corner, and went back when that did not help either.
  EXPECT_EQ(text_of("unit/ctl/cgroup.procs"), std::to_string(::getpid()));
  EXPECT_EQ(text_of("unit/cgroup.procs"), std::to_string(::getpid()));
}

TEST_F(FenceTree, VersionOneIsTheNextChoice) {
  file("unified/cgroup.controllers", "hugetlb\n");
  file("memory/box/memory.limit_in_bytes", "9223372036854771712\n");
  auto cgroups = MemoryCgroups::open(directory_.path(), {"/", "/box"});
  ASSERT_TRUE(cgroups.has_value());
  EXPECT_FALSE(cgroups->is_v2());
  const auto made = cgroups->make("0-2", kLimit);
  ASSERT_TRUE(made.has_value());
  EXPECT_THAT(*made, HasSubstr("/memory/box/holdfast-"));
  EXPECT_EQ(read_text(*made + "/memory.limit_in_bytes"), "67108864");
}

TEST_F(FenceTree, WithoutAControllerThereIsATypedError) {
  const auto cgroups = MemoryCgroups::open(directory_.path(), {"/", "/"});
  ASSERT_FALSE(cgroups.has_value());
  EXPECT_EQ(cgroups.error().code, Errc::Unsupported);
}

TEST_F(FenceTree, WhatADeadServerLeftIsRemoved) {
  file("memory/memory.limit_in_bytes", "9223372036854771712\n");
  // Above the highest process number that the kernel gives.
  folder("memory/holdfast-4194999-0-1");
  folder("memory/holdfast-1-0-1");  // that process lives
  folder("memory/holdfast-x-0-1");
  folder("memory/other");
  ASSERT_TRUE(MemoryCgroups::open(directory_.path(), {"/", "/"}).has_value());
  const auto exists = [this](const std::string& name) {
    return std::filesystem::exists(directory_.file("memory/" + name));
  };
  EXPECT_FALSE(exists("holdfast-4194999-0-1"));
  EXPECT_TRUE(exists("holdfast-1-0-1"));
  EXPECT_TRUE(exists("holdfast-x-0-1"));
  EXPECT_TRUE(exists("other"));
}

TEST_F(FenceTree, KillsAreCountedInBothVersions) {
  file("two/memory.events", "low 0\nhigh 0\nmax 4\noom 1\noom_kill 2\n");
  file("one/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
  folder("none");
  EXPECT_EQ(cgroup_oom_kills(directory_.file("two")), 2U);
  EXPECT_EQ(cgroup_oom_kills(directory_.file("one")), 1U);
  EXPECT_EQ(cgroup_oom_kills(directory_.file("none")), 0U);
}

class FencedChild : public ChildFixture {
 protected:
  ChildSpec bomb(Fence fence) {
    script(fmt::format(R"({{"load_bytes": {}}})", kBomb.count));
    ChildSpec made = spec();
    made.fence = std::move(fence);
    return made;
  }
};

TEST_F(FencedChild, CannotTakeMoreDataThanItsLimit) {
  Fence fence;
  fence.data = kLimit + 64 * kMiB;
  spawn(bomb(fence));
  ASSERT_TRUE(run_until_exit());
  EXPECT_FALSE(exits_[0].was_ready);
  EXPECT_TRUE(exits_[0].out_of_memory);
  EXPECT_TRUE(exits_[0].hit_fence);
  EXPECT_LT(exits_[0].peak_memory, kBomb);
}

TEST_F(FencedChild, IsReadyBelowItsLimit) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer's own memory counts as data";
#endif
  Fence fence;
  fence.data = kBomb + 256 * kMiB;
  ASSERT_TRUE(spawn_until_ready(bomb(fence)));
  child_->stop();
  ASSERT_TRUE(run_until_exit());
  EXPECT_FALSE(exits_[0].out_of_memory);
  EXPECT_FALSE(exits_[0].hit_fence);
}

TEST_F(FencedChild, IsKilledAloneInItsCgroup) {
  auto cgroups = real_cgroups();
  if (!cgroups) {
    GTEST_SKIP() << "no memory cgroup can be made here: " << cgroups.error().message;
  }
  const auto cgroup = cgroups->make("test", kLimit);
  ASSERT_TRUE(cgroup.has_value());
  Fence fence;
  fence.cgroup = *cgroup;
  spawn(bomb(fence));
  ASSERT_TRUE(run_until_exit());
  EXPECT_EQ(exits_[0].kind, ExitKind::Signalled);
  EXPECT_EQ(exits_[0].code, SIGKILL);
  EXPECT_TRUE(exits_[0].out_of_memory);
  EXPECT_TRUE(exits_[0].hit_fence);
  EXPECT_FALSE(std::filesystem::exists(*cgroup));
}

TEST_F(FencedChild, DoesNotStartOutsideItsCgroup) {
  Fence fence;
  fence.cgroup = directory_.file("nowhere");
  ChildSpec made = spec();
  made.fence = fence;
  spawn(made);
  ASSERT_TRUE(run_until_exit());
  EXPECT_EQ(exits_[0].code, 127);
  EXPECT_THAT(exits_[0].log_tail, HasSubstr("its memory cgroup"));
}

}  // namespace
}  // namespace hf::process
