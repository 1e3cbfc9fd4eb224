#pragma once
// Being woken by the kernel when tasks stand still for want of memory (a PSI trigger), instead of
// looking again and again. The descriptor reports POLLPRI, at most once a window; it is always
// readable, so nothing else may be waited for on it. One owner; any thread.
// Source: Documentation/accounting/psi.rst of Linux; d82caa273565: without CAP_SYS_RESOURCE windows
// must be multiples of 2 s, and kernels before it (6.5) refuse everybody else.

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>

#include "base/result.h"

namespace hf::readers {

// What counts as pressure everywhere in Holdfast: in a window of 2 s at least one task stood still
// for 150 ms of it. Two seconds is the shortest window that everybody may have; 150 ms is what a
// machine that re-reads its weights reaches at once and an ordinary load never does.
constexpr std::chrono::milliseconds kStallThreshold{150};
constexpr std::chrono::milliseconds kStallWindow{2000};

// Why there is no trigger, by the errno of open(2) or write(2): NotFound (a kernel built or booted
// without PSI), PermissionDenied (the file may not be written, or only with CAP_SYS_RESOURCE),
// InvalidArgument (the kernel refuses the window), Unsupported (PSI is off), AlreadyExists (another
// trigger on the same open file), Io.
Error trigger_error(const std::string& path, int reason);

class PressureTrigger {
 public:
  // On a file that pressure_file() names. Errors: those of trigger_error; Unsupported also for a
  // file that is none of the kernel's.
  static Result<PressureTrigger> arm(const std::filesystem::path& file);

  PressureTrigger(PressureTrigger&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  PressureTrigger& operator=(PressureTrigger&&) = delete;
  PressureTrigger(const PressureTrigger&) = delete;
  PressureTrigger& operator=(const PressureTrigger&) = delete;
  ~PressureTrigger();

  [[nodiscard]] int fd() const { return fd_; }
  // Gives the descriptor to the caller, who closes it; the trigger lives as long as it is open.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  explicit PressureTrigger(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace hf::readers
