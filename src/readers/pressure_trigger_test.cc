#include "readers/pressure_trigger.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <cerrno>
#include <fstream>
#include <sstream>

#include "readers/fake_root.h"

namespace hf::readers {
namespace {

TEST(PressureTrigger, EachRefusalOfTheKernelHasItsType) {
  const auto code = [](int reason) { return trigger_error("/p", reason).code; };
  EXPECT_EQ(code(ENOENT), Errc::NotFound);
  EXPECT_EQ(code(EPERM), Errc::PermissionDenied);   // Linux before 6.5, without CAP_SYS_RESOURCE
  EXPECT_EQ(code(EACCES), Errc::PermissionDenied);  // the file may not be written
  EXPECT_EQ(code(EROFS), Errc::PermissionDenied);
  EXPECT_EQ(code(EINVAL), Errc::InvalidArgument);
  EXPECT_EQ(code(EOPNOTSUPP), Errc::Unsupported);
  EXPECT_EQ(code(EBUSY), Errc::AlreadyExists);
  EXPECT_EQ(code(ENOMEM), Errc::Io);
  EXPECT_EQ(trigger_error("/p", EPERM).sys_errno, EPERM);
}

TEST(PressureTrigger, SaysWhenTheKernelHasNone) {
  EXPECT_EQ(PressureTrigger::arm(FakeRoot().path() / "proc/pressure/memory").error().code,
            Errc::NotFound);
}

TEST(PressureTrigger, LeavesAFileAloneThatOnlyStandsForTheKernels) {
  FakeRoot root;
  const std::string text = "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
  root.file("proc/pressure/memory", text);
  EXPECT_EQ(PressureTrigger::arm(root.path() / "proc/pressure/memory").error().code,
            Errc::Unsupported);
  std::stringstream now;
  now << std::ifstream(root.path() / "proc/pressure/memory").rdbuf();
  EXPECT_EQ(now.str(), text);
}

// On the real machine there is a trigger or a typed reason, by kernel and rights.
TEST(PressureTrigger, OnThisMachineItIsArmedOrSaysWhyNot) {
  auto trigger = PressureTrigger::arm("/proc/pressure/memory");
  if (!trigger) {
    const Errc code = trigger.error().code;
    EXPECT_TRUE(code == Errc::NotFound || code == Errc::PermissionDenied ||
                code == Errc::InvalidArgument || code == Errc::Unsupported)
        << trigger.error().message;
    EXPECT_NE(trigger.error().sys_errno, 0);
    return;
  }
  pollfd watched{trigger->fd(), POLLPRI, 0};
  EXPECT_GE(::poll(&watched, 1, 0), 0);
  EXPECT_EQ(watched.revents & (POLLERR | POLLNVAL), 0);
  EXPECT_NE(::fcntl(trigger->fd(), F_GETFD) & FD_CLOEXEC, 0);
  const int fd = trigger->release();
  EXPECT_EQ(trigger->fd(), -1);
  EXPECT_EQ(::close(fd), 0);
}

TEST(PressureTrigger, ClosesItsDescriptor) {
  auto trigger = PressureTrigger::arm("/proc/pressure/memory");
  if (!trigger) {
    EXPECT_FALSE(trigger.error().message.empty());
    return;
  }
  const int fd = trigger->fd();
  { const PressureTrigger ends = std::move(*trigger); }
  EXPECT_EQ(::fcntl(fd, F_GETFD), -1);
}

}  // namespace
}  // namespace hf::readers
