#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/child.h"
#include "process/child_fixture.h"

namespace hf::process {
namespace {

int exit_code_of(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  pid_t pid = 0;
  EXPECT_EQ(::posix_spawn(&pid, HF_TEST_HELPER, nullptr, nullptr, argv.data(), environ), 0);
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Jail, RunsAProgramForItsParent) {
  const std::string me = std::to_string(::getpid());
  EXPECT_EQ(exit_code_of({"h", "jail", "--parent", me, "--", "/bin/sh", "-c", "exit 5"}), 5);
}

TEST(Jail, RefusesWhenItsParentIsNotTheOneNamed) {
  // Process 1 is never the parent of this test's child.
  EXPECT_EQ(exit_code_of({"h", "jail", "--parent", "1", "--", "/bin/sh", "-c", "exit 5"}), 127);
}

TEST(Jail, RefusesWrongUse) {
  const std::string me = std::to_string(::getpid());
  EXPECT_EQ(exit_code_of({"h", "jail"}), 127);
  EXPECT_EQ(exit_code_of({"h", "jail", "--parent", me, "--"}), 127);
  EXPECT_EQ(exit_code_of({"h", "jail", "--parent", "x1", "--", "/bin/true"}), 127);
  EXPECT_EQ(exit_code_of({"h", "jail", "--parent", me, "/bin/true", "--"}), 127);
}

TEST(Jail, LimitsTheDataOfItsProgram) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "the sanitizer's own memory counts as data";
#endif
  const std::string me = std::to_string(::getpid());
  const std::vector<std::string> line{
      "h",        "jail", "--parent", me,   "--data",
      "67108864", "--",   "/bin/sh",  "-c", "[ $(ulimit -d) = 65536 ]"};
  EXPECT_EQ(exit_code_of(line), 0);
  EXPECT_EQ(exit_code_of({"h", "jail", "--parent", me, "--data", "0", "--", "/bin/true"}), 127);
  EXPECT_EQ(exit_code_of({"h", "jail", "--parent", me, "--data", "-1", "--", "/bin/true"}), 127);
}

TEST(Jail, RefusesACgroupThatIsNone) {
  const std::string me = std::to_string(::getpid());
  EXPECT_EQ(exit_code_of({"h", "jail", "--parent", me, "--cgroup", "x", "--", "/bin/true"}), 127);
  EXPECT_EQ(exit_code_of({"h", "jail", "--parent", me, "--cgroup", "/x", "--", "/bin/true"}), 127);
}

TEST(Jail, SaysThatAProgramIsMissing) {
  const std::string me = std::to_string(::getpid());
  EXPECT_EQ(exit_code_of({"h", "jail", "--parent", me, "--", "/no/such/program"}), 127);
}

}  // namespace
}  // namespace hf::process
