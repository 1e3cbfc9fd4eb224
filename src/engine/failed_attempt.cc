#include "engine/failed_attempt.h"

#include <utility>

#include "base/units.h"

namespace hf::engine {
namespace {

constexpr const char* kSeeLog = "the server's log has the engine's last words";

std::string ending(const process::ChildExit& exit) {
  const bool by_signal = exit.kind == process::ExitKind::Signalled;
  return (by_signal ? " (signal " : " (code ") + std::to_string(exit.code) + ")";
}

}  // namespace

FailedAttempt unusable_file(std::string problem, std::string next_step) {
  FailedAttempt attempt;
  attempt.kind = FailedAttempt::Kind::File;
  attempt.cause = std::move(problem);
  attempt.next_step = std::move(next_step);
  return attempt;
}

FailedAttempt failed_load(core::LoadFailure failure, const process::ChildExit& exit,
                          Duration deadline) {
  FailedAttempt attempt;
  attempt.next_step = kSeeLog;
  switch (failure) {
    case core::LoadFailure::SpawnFailed:
      attempt.cause = "the engine could not be started";
      attempt.next_step = "the server's log and holdfast doctor say why";
      break;
    case core::LoadFailure::TimedOut:
      attempt.cause = "it was not ready within " + format_duration(deadline);
      break;
    case core::LoadFailure::OutOfMemory:
      attempt.cause =
          exit.hit_fence ? "it ran out of memory, at the fence around it" : "it ran out of memory";
      attempt.next_step = "set a smaller context or parallel, or free memory on the machine; " +
                          std::string(kSeeLog);
      break;
    case core::LoadFailure::Crashed:
    case core::LoadFailure::Broken:
      attempt.cause = "the engine ended while it loaded" + ending(exit);
      break;
  }
  return attempt;
}

FailedAttempt of_command(FailedAttempt attempt, core::LoadFailure failure,
                         const process::ChildExit& exit) {
  if (failure == core::LoadFailure::TimedOut) {
    attempt.cause += exit.other_answered ? ": a process that it did not start has its port"
                     : exit.last_status == 0
                         ? ": nothing answered at its readiness path"
                         : ": its readiness path answered " + std::to_string(exit.last_status);
    attempt.next_step = "correct `ready` or what it is told to listen on, or raise load_within; " +
                        std::string(kSeeLog);
  } else if (failure == core::LoadFailure::OutOfMemory) {
    attempt.next_step = "raise its `bytes`, or free memory on the machine; " + std::string(kSeeLog);
  }
  return attempt;
}

FailedAttempt crash(const process::ChildExit& exit) {
  FailedAttempt attempt;
  attempt.kind = FailedAttempt::Kind::Crash;
  attempt.cause = exit.out_of_memory ? "the engine ran out of memory while it served"
                                     : "the engine ended while it served" + ending(exit);
  attempt.next_step = kSeeLog;
  return attempt;
}

}  // namespace hf::engine
