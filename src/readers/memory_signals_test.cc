#include "readers/memory_signals.h"

#include <gtest/gtest.h>

namespace hf::readers {
namespace {

using namespace std::chrono_literals;

Snapshot at(Duration time) {
  Snapshot snapshot;
  snapshot.at = TimePoint(time);
  return snapshot;
}

Snapshot counting(Duration time, std::int64_t refaults, std::int64_t faults, std::int64_t kills) {
  Snapshot snapshot = at(time);
  snapshot.vmstat = VmStat{refaults, faults, kills};
  return snapshot;
}

Snapshot killed(Duration time, const char* path, std::int64_t kills) {
  Snapshot snapshot = counting(time, 0, 0, 1000 + kills);
  snapshot.cgroup_events = CgroupEvents{path, kills, std::nullopt, std::nullopt};
  return snapshot;
}

Snapshot standing(Duration time, Duration total) {
  Snapshot snapshot = at(time);
  snapshot.pressure.emplace();
  snapshot.pressure->some.total = total;
  return snapshot;
}

TEST(MemorySignals, RatesArePerSecondOverAtLeastAlmostOne) {
  MemorySignalTracker tracker;
  EXPECT_EQ(tracker.take(counting(0s, 1000, 10, 0)).refaults_per_s, std::nullopt);
  EXPECT_EQ(tracker.take(counting(500ms, 1400, 10, 0)).refaults_per_s, std::nullopt);
  const MemorySignals signals = tracker.take(counting(1s, 1800, 30, 0));
  EXPECT_DOUBLE_EQ(*signals.refaults_per_s, 800);
  EXPECT_DOUBLE_EQ(*signals.major_faults_per_s, 20);
  EXPECT_DOUBLE_EQ(*tracker.take(counting(1010ms, 9999, 30, 0)).refaults_per_s, 800);
  EXPECT_DOUBLE_EQ(*tracker.take(counting(3s, 1800, 30, 0)).refaults_per_s, 0);
}

TEST(MemorySignals, ACounterThatWentBackIsNoNegativeRate) {
  MemorySignalTracker tracker;
  tracker.take(counting(0s, 1000, 10, 5));
  const MemorySignals signals = tracker.take(counting(1s, 0, 0, 0));
  EXPECT_DOUBLE_EQ(*signals.refaults_per_s, 0);
  EXPECT_EQ(signals.oom_kills, 0);
}

TEST(MemorySignals, CountersThatAreGoneGiveNoRate) {
  MemorySignalTracker tracker;
  tracker.take(counting(0s, 0, 0, 0));
  ASSERT_NE(tracker.take(counting(1s, 0, 0, 0)).refaults_per_s, std::nullopt);
  EXPECT_EQ(tracker.take(at(2s)).refaults_per_s, std::nullopt);
}

TEST(MemorySignals, KillsCountFromTheFirstSnapshotOn) {
  MemorySignalTracker tracker;
  EXPECT_EQ(tracker.take(at(0s)).oom_kills, std::nullopt);
  EXPECT_EQ(tracker.take(counting(1s, 0, 0, 7)).oom_kills, 0);
  EXPECT_EQ(tracker.take(counting(2s, 0, 0, 9)).oom_kills, 2);
}

TEST(MemorySignals, KillsInTheTightestCgroupCountAndNotThoseElsewhere) {
  MemorySignalTracker tracker;
  EXPECT_EQ(tracker.take(killed(0s, "/a", 3)).oom_kills, 0);
  EXPECT_EQ(tracker.take(killed(1s, "/a", 4)).oom_kills, 1);
  // Another cgroup became the tightest: its past is not ours.
  EXPECT_EQ(tracker.take(killed(2s, "/b", 50)).oom_kills, 1);
  EXPECT_EQ(tracker.take(killed(3s, "/b", 51)).oom_kills, 2);
}

TEST(MemorySignals, TellsThatTasksStandStill) {
  MemorySignalTracker tracker;
  bool stalled = false;
  for (int i = 0; i <= 10; ++i) {
    stalled = tracker.take(standing(i * 500ms, i * 100ms)).stalled;
  }
  EXPECT_TRUE(stalled);
  EXPECT_FALSE(tracker.take(at(6s)).stalled);  // PSI is gone
}

TEST(MemorySignals, LimitsThatChangePlacesAsTheTightestDoNotHideAStall) {
  MemorySignalTracker tracker;
  bool stalled = false;
  for (int i = 0; i <= 16; ++i) {
    Snapshot snapshot = standing(i * 500ms, i * 100ms);
    snapshot.pressure_from = i % 3 == 0 ? "/pod/memory.pressure" : "/pod/container/memory.pressure";
    stalled = tracker.take(snapshot).stalled;
  }
  EXPECT_TRUE(stalled);
}

TEST(MemorySignals, AnotherGroupsTotalIsNotOurs) {
  MemorySignalTracker tracker;
  for (int i = 0; i <= 10; ++i) {
    Snapshot quiet = standing(i * 500ms, 0s);
    quiet.pressure_from = "/a/memory.pressure";
    tracker.take(quiet);
  }
  Snapshot other = standing(5500ms, 3600s);
  other.pressure_from = "/b/memory.pressure";
  EXPECT_FALSE(tracker.take(other).stalled);
}

TEST(MemorySignals, AFailedReadingForgetsTheStall) {
  MemorySignalTracker tracker;
  for (int i = 0; i <= 10; ++i) {
    tracker.take(standing(i * 500ms, i * 100ms));
  }
  tracker.forget();
  EXPECT_FALSE(tracker.take(standing(6s, 1100ms)).stalled);
}

}  // namespace
}  // namespace hf::readers
