#pragma once
// Starts a program through the jail, with pipes to it and a pidfd for it. Why posix_spawn: fork
// copies the page tables (91 ms with a 4 GiB parent), posix_spawn does not. The calling thread must
// live as long as the child may, because PR_SET_PDEATHSIG fires when the *thread* that spawned
// ends.

#include <string>
#include <vector>

#include "base/result.h"
#include "process/fence.h"
#include "process/unique_fd.h"

namespace hf::process {

// What the jail is to do besides.
struct Confinement {
  Fence fence;
  bool supervised = false;  // supervise.h: `pid` is the supervisor's, and its end is everybody's
};

struct Launched {
  int pid = 0;     // also its process group; valid until the caller reaps it
  UniqueFd pidfd;  // readable once the process has ended
  UniqueFd input;  // the other end of its standard input: a socket, non-blocking
  UniqueFd out;    // read ends of its standard output and error, non-blocking
  UniqueFd err;
};

// Executes `program` (absolute path, a regular executable file) with exactly `environment`, in a
// process group of its own behind the fence, no signal blocked or ignored, no descriptor but 0,
// 1, 2. Errors: NotFound, PermissionDenied, ResourceExhausted, Io; each with sys_errno. A program
// that the kernel refuses later (not a binary, no loader) shows as exit code 127 with the reason on
// its standard error.
Result<Launched> launch(const std::string& program, const std::vector<std::string>& arguments,
                        const std::vector<std::string>& environment,
                        const Confinement& confinement = {});

}  // namespace hf::process
