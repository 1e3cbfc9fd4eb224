// Nothing we started outlives us, even when we are killed without a chance to clean up.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "process/child_fixture.h"

namespace hf::process {
namespace {

struct Family {
  pid_t parent = 0;
  int child = 0;  // the engine, once it serves
};

Family start_family(const std::string& model, const std::string& socket) {
  int pipe_ends[2];
  EXPECT_EQ(::pipe2(pipe_ends, O_CLOEXEC), 0);
  const UniqueFd read_end(pipe_ends[0]);
  UniqueFd write_end(pipe_ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, write_end.get(), 1);
  std::vector<std::string> words{"helper", "parent", HF_STUB_ENGINE, model, socket};
  std::vector<char*> argv;
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  Family family;
  EXPECT_EQ(::posix_spawn(&family.parent, HF_TEST_HELPER, &actions, nullptr, argv.data(), environ),
            0);
  posix_spawn_file_actions_destroy(&actions);
  write_end.reset();
  char text[32] = {};
  EXPECT_GT(::read(read_end.get(), text, sizeof(text) - 1), 0);
  family.child = std::atoi(text);
  return family;
}

class OrphanTest : public ChildFixture {
 protected:
  void kill_parent_and_expect_child_gone(bool stop_child) {
    const Family family = start_family(model(), socket());
    ASSERT_GT(family.child, 0);
    const UniqueFd child = pidfd_of(family.child);
    ASSERT_TRUE(child.valid());
    if (stop_child) {
      ASSERT_EQ(::kill(family.child, SIGSTOP), 0);
    }
    ASSERT_EQ(::kill(family.parent, SIGKILL), 0);
    ASSERT_EQ(::waitpid(family.parent, nullptr, 0), family.parent);
    EXPECT_TRUE(ends(child));
  }
};

TEST_F(OrphanTest, DiesWithAParentThatIsKilled) {
  kill_parent_and_expect_child_gone(false);
}

TEST_F(OrphanTest, DiesWithAParentThatIsKilledEvenWhenItIsStopped) {
  kill_parent_and_expect_child_gone(true);
}

TEST_F(OrphanTest, DiesWithAParentThatIsKilledEvenWhenItIgnoresSignals) {
  script(R"({"ignore_sigterm": true})");
  kill_parent_and_expect_child_gone(false);
}

}  // namespace
}  // namespace hf::process
