#include "engine/fence_size.h"

#include <gtest/gtest.h>

#include "base/units.h"

namespace hf::engine {
namespace {

TEST(FenceSize, ACgroupHasAQuarterAndSomeRoom) {
  EXPECT_EQ(cgroup_limit(4 * kGiB), 5 * kGiB + 512 * kMiB);
}

TEST(FenceSize, TheStacksOfALargeMachinesThreadsAreAddressSpace) {
  // 64 threads compute and 127 answer requests, with stacks of 8 MiB each.
  EXPECT_GE(data_limit(kGiB, 64, 4, 128), cgroup_limit(kGiB) + (64 + 127) * (8 * kMiB));
  // On a small one the fence stays close.
  EXPECT_LE(data_limit(kGiB, 1, 1, 2), cgroup_limit(kGiB) + 256 * kMiB);
}

}  // namespace
}  // namespace hf::engine
