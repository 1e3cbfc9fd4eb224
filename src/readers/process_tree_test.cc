#include "readers/process_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "readers/fake_root.h"

namespace hf::readers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

void process(FakeRoot& root, const std::string& pid, const std::string& parent,
             const std::string& state = "S") {
  root.file(pid + "/stat", pid + " (a (b) c) " + state + " " + parent + " 1 1 0 -1\n");
  root.file(pid + "/status", "RssAnon:\t 100 kB\nRssFile:\t 40 kB\nRssShmem:\t 2 kB\n");
}

TEST(ParseProcessStat, TakesNamesForWhatTheyAre) {
  EXPECT_EQ(parse_process_stat("7 (x) S 3 7 7 0"), (ProcessParent{3, false}));
  EXPECT_EQ(parse_process_stat("7 (x) Z 3 7 7 0"), (ProcessParent{3, true}));
  EXPECT_EQ(parse_process_stat("7 (a) R 9 (b) S 3 7"), (ProcessParent{3, false}));
  EXPECT_EQ(parse_process_stat("7 (x) S"), std::nullopt);
  EXPECT_EQ(parse_process_stat(""), std::nullopt);
}

TEST(ProcessTree, HasWhoIsBelowAndNobodyElse) {
  FakeRoot root;
  process(root, "10", "1");
  process(root, "11", "10");
  process(root, "12", "11");
  process(root, "13", "11", "Z");
  process(root, "20", "1");
  root.file("self/stat", "10 (x) S 10 1\n");
  EXPECT_THAT(process_tree(10, root.path()), ElementsAre(10, 11, 12));
  EXPECT_THAT(process_tree(13, root.path()), IsEmpty()) << "it has ended";
  EXPECT_THAT(process_tree(99, root.path()), IsEmpty());
}

TEST(ParentOf, IsWhoStartedIt) {
  FakeRoot root;
  process(root, "11", "10");
  EXPECT_EQ(parent_of(11, root.path()), 10);
  EXPECT_EQ(parent_of(12, root.path()), std::nullopt);
  EXPECT_EQ(parent_of(getpid()), getppid());
}

TEST(ProcessTree, ARingOfReusedNumbersEnds) {
  FakeRoot root;
  process(root, "10", "11");
  process(root, "11", "10");
  EXPECT_THAT(process_tree(10, root.path()), ElementsAre(10, 11));
}

TEST(ReadTreeMemory, AddsUpSharesAndWhatIsResidentWithoutThem) {
  FakeRoot root;
  process(root, "10", "1");
  process(root, "11", "10");
  root.file("11/smaps_rollup", "Rss:  142 kB\nPss:  70 kB\nPss_Anon: 60 kB\n");
  const auto memory = read_tree_memory(10, root.path());
  ASSERT_TRUE(memory);
  EXPECT_THAT(memory->pids, UnorderedElementsAre(10, 11));
  EXPECT_EQ(memory->resident, 212 * kKiB);
  EXPECT_EQ(read_tree_memory(10, root.path(), Mechanisms(Mechanism::SmapsRollup))->resident,
            284 * kKiB);
  EXPECT_EQ(read_tree_memory(12, root.path()).error().code, Errc::NotFound);
}

TEST(ReadTreeMemory, ReadsARealOne) {
  const auto memory = read_tree_memory(getpid());
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->pids.front(), getpid());
  EXPECT_GT(memory->resident, Bytes());
}

}  // namespace
}  // namespace hf::readers
