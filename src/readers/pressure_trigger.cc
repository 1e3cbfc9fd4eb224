#include "readers/pressure_trigger.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace hf::readers {
namespace {

std::string condition() {
  const auto micros = [](std::chrono::microseconds time) { return std::to_string(time.count()); };
  return "some " + micros(kStallThreshold) + ' ' + micros(kStallWindow);
}

tl::unexpected<Error> failed(const std::string& what, int reason) {
  switch (reason) {
    case ENOENT:
    case ENOTDIR:
      return fail(Errc::NotFound, what + ": the kernel has no PSI (CONFIG_PSI, psi=1)", reason);
    case EACCES:
    case EPERM:
    case EROFS:
      return fail(Errc::PermissionDenied, what + ": " + std::strerror(reason), reason);
    case EINVAL:
      return fail(Errc::InvalidArgument,
                  what + ": the kernel refuses a window of 2 s without CAP_SYS_RESOURCE", reason);
    case EOPNOTSUPP:
      return fail(Errc::Unsupported, what + ": PSI is switched off (psi=1)", reason);
    case EBUSY:
      return fail(Errc::AlreadyExists, what + ": it has a trigger already", reason);
    default:
      return fail(Errc::Io, what + ": " + std::strerror(reason), reason);
  }
}

}  // namespace

Result<PressureTrigger> PressureTrigger::arm(const std::filesystem::path& root) {
  const std::string path = (root / "proc/pressure/memory").string();
  PressureTrigger trigger(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (trigger.fd_ < 0) {
    return failed(path, errno);
  }
  // A file that only stands for the kernel's would be overwritten by the condition and never wake
  // anybody.
  struct statfs where {};
  if (::fstatfs(trigger.fd_, &where) != 0) {
    return failed(path, errno);
  }
  if (where.f_type != PROC_SUPER_MAGIC) {
    return fail(Errc::Unsupported, path + ": not a file of the kernel's");
  }
  const std::string text = condition();
  // With its final zero byte, which the kernel overwrites.
  if (::write(trigger.fd_, text.c_str(), text.size() + 1) < 0) {
    return failed(path, errno);
  }
  return trigger;
}

PressureTrigger::~PressureTrigger() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

}  // namespace hf::readers
