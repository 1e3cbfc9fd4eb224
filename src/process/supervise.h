#pragma once
// Runs a program that may start others, and leaves nothing of it behind. Why a process of its own
// between the server and the program: engines such as vLLM fork workers, and a worker that left the
// process group, or whose parent died, could be told by nobody but its parent. The supervisor is
// the "subreaper" of everything below it (prctl(2), PR_SET_CHILD_SUBREAPER): whoever loses its
// parent becomes its child, so the end is certain when it has no child left, even after the server
// was killed. Part of the jail: it runs before anything else of main, without configuration, log,
// threads or allocation that could fail halfway.

#include <csignal>

namespace hf::process {

// What the server tells its supervisor. SIGTERM: ask the program to end. SIGQUIT: end everything
// now. SIGCONT comes by itself when the server has died: of all signals that one, because it also
// wakes a supervisor that was stopped. (SIGKILL to the supervisor leaves the program's workers
// without anybody; it is the last resort.)
inline constexpr int kAskToEnd = SIGTERM;
inline constexpr int kEndNow = SIGQUIT;
inline constexpr int kServerGone = SIGCONT;

// Executes the command (program and arguments, null-terminated) as the leader of a session of its
// own, its standard input empty, and ends this process as it ended (same status or same signal)
// once nothing is left below. What the program left running gets SIGTERM and a second to end by
// itself. Called with the descriptors above 2 closed and PR_SET_PDEATHSIG set to kServerGone.
// Returns only if it could not begin, with the exit status (127).
int supervise(char** command, int server);

}  // namespace hf::process
