#include "engine/failed_attempt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hf::engine {
namespace {

using core::LoadFailure;
using ::testing::HasSubstr;
using ::testing::Not;

process::ChildExit exit_with(process::ExitKind kind, int code) {
  process::ChildExit exit;
  exit.kind = kind;
  exit.code = code;
  exit.log_tail = "/models/secret.gguf: no such tensor";
  return exit;
}

FailedAttempt load(LoadFailure failure) {
  return failed_load(failure, exit_with(process::ExitKind::Exited, 1), std::chrono::seconds(65));
}

TEST(FailedAttempt, SaysWhatEndedALoadAndWhatToDo) {
  EXPECT_EQ(load(LoadFailure::Crashed).cause, "the engine ended while it loaded (code 1)");
  EXPECT_EQ(load(LoadFailure::OutOfMemory).cause, "it ran out of memory");
  EXPECT_THAT(load(LoadFailure::OutOfMemory).next_step, HasSubstr("smaller context"));
  EXPECT_EQ(load(LoadFailure::TimedOut).cause, "it was not ready within 65.0 s");
  EXPECT_THAT(load(LoadFailure::SpawnFailed).next_step, HasSubstr("holdfast doctor"));
}

TEST(FailedAttempt, NamesTheFenceThatWasHit) {
  process::ChildExit exit = exit_with(process::ExitKind::Signalled, 9);
  exit.hit_fence = true;
  EXPECT_THAT(failed_load(LoadFailure::OutOfMemory, exit, Duration::zero()).cause,
              HasSubstr("fence"));
}

TEST(FailedAttempt, OfACommandSaysWhatItsReadinessPathAnswered) {
  process::ChildExit exit = exit_with(process::ExitKind::Signalled, 15);
  const auto timed_out = [&exit] {
    return of_command(load(LoadFailure::TimedOut), LoadFailure::TimedOut, exit);
  };
  EXPECT_THAT(timed_out().cause, HasSubstr(": nothing answered at its readiness path"));
  exit.last_status = 404;
  EXPECT_THAT(timed_out().cause, HasSubstr(": its readiness path answered 404"));
  EXPECT_THAT(timed_out().next_step, HasSubstr("load_within"));
  exit.other_answered = true;
  EXPECT_THAT(timed_out().cause, HasSubstr(": a process that it did not start has its port"));
  EXPECT_THAT(of_command(load(LoadFailure::OutOfMemory), LoadFailure::OutOfMemory, exit).next_step,
              HasSubstr("`bytes`"));
  EXPECT_EQ(of_command(load(LoadFailure::Crashed), LoadFailure::Crashed, exit).cause,
            load(LoadFailure::Crashed).cause);
}

TEST(FailedAttempt, TellsACrashFromAFailedLoad) {
  const FailedAttempt attempt = crash(exit_with(process::ExitKind::Signalled, 11));
  EXPECT_EQ(attempt.kind, FailedAttempt::Kind::Crash);
  EXPECT_EQ(attempt.cause, "the engine ended while it served (signal 11)");
}

TEST(FailedAttempt, RepeatsNothingOfTheEnginesOwnOutput) {
  for (const LoadFailure failure :
       {LoadFailure::SpawnFailed, LoadFailure::Crashed, LoadFailure::OutOfMemory,
        LoadFailure::TimedOut, LoadFailure::Broken}) {
    EXPECT_THAT(load(failure).cause + load(failure).next_step, Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace hf::engine
