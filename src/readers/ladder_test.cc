#include "readers/ladder.h"

#include <gtest/gtest.h>

#include <set>

#include "readers/fake_root.h"

namespace hf::readers {
namespace {

TEST(Ladder, StandsOnTheFirstRungThatCanBeUsed) {
  const Need need{"x", {{"a", "", "broken", "mend it"}, {"b"}, {"c"}}};
  EXPECT_EQ(need.standing(), 1U);
  EXPECT_FALSE(need.on_best());
  EXPECT_EQ(need.rung().name, "b");
}

TEST(Ladder, EveryNeedHasAFloor) {
  Mechanisms none;
  for (const MechanismWord& known : kMechanisms) {
    none.add(known.mechanism);
  }
  for (const Need& need : inspect_ladder("/", none)) {
    EXPECT_EQ(need.rung().name, need.rungs.back().name == "prediction"
                                    ? "RssAnon + RssFile"  // what /proc always tells
                                    : need.rungs.back().name)
        << need.name;
  }
}

TEST(Ladder, ARungThatIsOffSaysHowToHaveItBack) {
  const Need alarm = pressure_alarm("/", Mechanisms(Mechanism::PsiTrigger));
  EXPECT_EQ(alarm.rungs[0].why_not, "switched off");
  EXPECT_EQ(alarm.rungs[0].remedy, "take \"psi_trigger\" out of [memory] without");
}

TEST(Ladder, WithoutPsiThereIsNoTriggerEither) {
  FakeRoot root;
  const Need alarm = pressure_alarm(root.path(), Mechanisms(Mechanism::Psi));
  EXPECT_EQ(alarm.standing(), 2U);
  EXPECT_EQ(alarm.rungs[0].why_not, "switched off");
}

TEST(Ladder, APlainFileIsReadButWakesNobody) {
  FakeRoot root;
  EXPECT_EQ(pressure_alarm(root.path(), {}).standing(), 2U);
  root.file("proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
  const Need alarm = pressure_alarm(root.path(), {});
  EXPECT_EQ(alarm.rung().name, "PSI totals");
  EXPECT_FALSE(alarm.rungs[0].why_not.empty());
}

TEST(Ladder, FindsTheHierarchyThatCountsMemory) {
  FakeRoot root;
  EXPECT_EQ(memory_limit(root.path(), {}).rung().name, "RAM alone");
  root.file("sys/fs/cgroup/unified/cgroup.controllers", "hugetlb\n")
      .file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(memory_limit(root.path(), {}).rung().name, "cgroup version 1");
  root.file("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
  EXPECT_EQ(memory_limit(root.path(), {}).rung().name, "cgroup version 2");
  EXPECT_EQ(memory_limit(root.path(), Mechanisms(Mechanism::CgroupV2)).rung().name,
            "cgroup version 1");
  EXPECT_EQ(
      memory_limit(root.path(), Mechanisms(Mechanism::CgroupV2, Mechanism::CgroupV1)).rung().name,
      "RAM alone");
}

TEST(Ladder, MachineMemoryAndCountersComeFromTheirFiles) {
  FakeRoot root;
  EXPECT_FALSE(machine_memory_need(root.path(), {}).on_best());
  EXPECT_FALSE(thrash_counters(root.path(), {}).on_best());
  root.file("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 10 kB\n").file("proc/vmstat", "");
  EXPECT_TRUE(machine_memory_need(root.path(), {}).on_best());
  EXPECT_TRUE(thrash_counters(root.path(), {}).on_best());
  EXPECT_FALSE(machine_memory_need(root.path(), Mechanisms(Mechanism::MemInfo)).on_best());
  EXPECT_FALSE(thrash_counters(root.path(), Mechanisms(Mechanism::VmStat)).on_best());
}

TEST(Ladder, PageCacheFallsFromCachestatToMincoreToAverages) {
  EXPECT_NE(page_cache_share(Mechanisms(Mechanism::Cachestat)).standing(), 0U);
  EXPECT_EQ(page_cache_share(Mechanisms(Mechanism::Cachestat, Mechanism::Mincore)).rung().name,
            "averages");
}

TEST(Ladder, WordsAreNamedOnce) {
  std::set<std::string_view> words;
  for (const MechanismWord& known : kMechanisms) {
    EXPECT_TRUE(words.insert(known.word).second);
    EXPECT_EQ(mechanism_named(known.word), known.mechanism);
  }
  EXPECT_EQ(mechanism_named("smaps"), std::nullopt);
}

}  // namespace
}  // namespace hf::readers
