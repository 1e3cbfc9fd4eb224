#pragma once
// The latest attempt to serve a model that came to nothing, and its cause in words for clients: no
// paths, no arguments, none of the engine's own lines. Why it is kept: the core knows only that a
// load failed and how long to wait, and the log is not where people look first. Pure, any thread.

#include <string>

#include "base/time.h"
#include "core/event.h"
#include "process/child.h"

namespace hf::engine {

struct FailedAttempt {
  enum class Kind { File, Load, Crash };

  Kind kind = Kind::Load;
  std::string cause;      // a clause: "it ran out of memory"
  std::string next_step;  // what to do; "" none
  TimePoint at;
  int in_a_row = 1;  // attempts that failed, since a whole answer or another file
};

// A file that was looked at and cannot be served: nothing was started.
FailedAttempt unusable_file(std::string problem, std::string next_step);
// Of a load. `deadline`: how long it was given.
FailedAttempt failed_load(core::LoadFailure failure, const process::ChildExit& exit,
                          Duration deadline);
// The same load's attempt in the words for a model of kind command.
FailedAttempt of_command(FailedAttempt attempt, core::LoadFailure failure,
                         const process::ChildExit& exit);
// Of a child that had been ready and that nobody told to stop.
FailedAttempt crash(const process::ChildExit& exit);

}  // namespace hf::engine
