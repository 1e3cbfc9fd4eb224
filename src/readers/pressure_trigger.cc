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

}  // namespace

Error trigger_error(const std::string& path, int reason) {
  switch (reason) {
    case ENOENT:
    case ENOTDIR:
      return Error(Errc::NotFound, path + ": the kernel has no PSI (CONFIG_PSI, psi=1)", reason);
    case EACCES:
    case EPERM:
    case EROFS:
      return Error(Errc::PermissionDenied, path + ": " + std::strerror(reason), reason);
    case EINVAL:
      return Error(Errc::InvalidArgument,
                   path + ": the kernel refuses a window of 2 s without CAP_SYS_RESOURCE", reason);
    case EOPNOTSUPP:
      return Error(Errc::Unsupported, path + ": PSI is switched off (psi=1)", reason);
    case EBUSY:
      return Error(Errc::AlreadyExists, path + ": it has a trigger already", reason);
    default:
      return Error(Errc::Io, path + ": " + std::strerror(reason), reason);
  }
}

Result<PressureTrigger> PressureTrigger::arm(const std::filesystem::path& file) {
  const std::string path = file.string();
  PressureTrigger trigger(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (trigger.fd_ < 0) {
    return fail(trigger_error(path, errno));
  }
  // A file that only stands for the kernel's would be overwritten by the condition and never wake
  // anybody.
  struct statfs where {};
  if (::fstatfs(trigger.fd_, &where) != 0) {
    return fail(trigger_error(path, errno));
  }
  if (where.f_type != PROC_SUPER_MAGIC && where.f_type != CGROUP2_SUPER_MAGIC) {
    return fail(Errc::Unsupported, path + ": not a file of the kernel's");
  }
  const std::string text = condition();
  // With its final zero byte, which the kernel overwrites.
  if (::write(trigger.fd_, text.c_str(), text.size() + 1) < 0) {
    return fail(trigger_error(path, errno));
  }
  return trigger;
}

PressureTrigger::~PressureTrigger() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

}  // namespace hf::readers
