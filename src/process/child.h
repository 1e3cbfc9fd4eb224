#pragma once
// One engine child: spawned through our own binary's hidden `jail` subcommand, watched by pidfd,
// stopped by a ladder (SIGTERM, deadline, SIGKILL). Why it exists: a model's memory is free only
// when its process has been reaped, and nothing we started may outlive us. One loop thread; spawn
// only from the thread that runs the loop for the whole life of the server (PR_SET_PDEATHSIG fires
// when the spawning *thread* ends).

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "process/fence.h"
#include "process/speed_meter.h"

namespace boost::asio {
class io_context;
}

namespace hf::process {

// Where a child says whether it serves, and what counts as yes.
struct Readiness {
  std::string path = "/health";
  // Only a status of 200 to 299. Else any below 500: an engine without /health says 404, the stock
  // one says 503 while it loads.
  bool success_only = false;
  // Asked on the loop with the child's pid before an answer counts; false: it came from somebody
  // else, who has the child's port. Empty: every answer is the child's own.
  std::function<bool(int pid)> is_own{};
};

struct ChildSpec {
  std::string engine;                    // absolute path of the engine's program
  std::vector<std::string> arguments;    // without argv[0]; never a shell
  std::vector<std::string> environment;  // "NAME=value"; nothing else is inherited
  std::string socket_path;  // the unix socket the child will bind; unlinked after the reap
  std::uint16_t port = 0;   // not 0: it listens on that port of 127.0.0.1 instead
  Readiness readiness;
  std::chrono::milliseconds load_deadline{60000};  // from spawn to ready
  std::chrono::milliseconds stop_deadline{10000};  // from SIGTERM to SIGKILL
  bool prompts_only = false;  // it generates nothing: an embedding model or a reranker
  // It is no stock server: it may start processes of its own, so a supervisor stands between
  // (supervise.h), and what it prints is log only.
  bool supervised = false;
  Fence fence;  // its cgroup is removed after the reap
};

enum class ExitKind { Exited, Signalled, SpawnFailed };

struct ChildExit {
  ExitKind kind = ExitKind::Exited;
  int code = 0;  // exit status or signal number; errno for SpawnFailed
  bool was_ready = false;
  bool load_timed_out = false;  // killed by us because the load deadline passed
  bool asked_to_stop = false;   // stop() or kill() had been called
  int last_status = 0;          // of its latest answer about readiness; 0: there was none
  bool other_answered = false;  // … and the latest one was not its own
  bool out_of_memory = false;   // its log or the kernel says memory ran out
  bool hit_fence = false;       // … and it had a fence, which is the likely cause
  std::string log_tail;  // last lines of its output, for the server's log only, never for clients
  Bytes peak_memory{0};  // ru_maxrss of the reaped child
};

struct ChildEvents {
  std::function<void(double fraction)> on_progress;  // 0…1 while loading, if the engine says it
  std::function<void()> on_ready;                    // once; its socket answers
  std::function<void(const ChildExit&)> on_exit;     // exactly once, after the reap; last call
  std::function<void(const Speed& speed)>
      on_speed;  // after an answer, if the engine logs its times
  std::function<void(const std::string& line)> on_log;  // each line of its output, for debug logs
};

class Child {
 public:
  // Spawns. Failure to spawn is reported through on_exit (SpawnFailed), never thrown, and never
  // from inside this call. Borrows the context.
  static std::shared_ptr<Child> spawn(boost::asio::io_context& io, ChildSpec spec,
                                      ChildEvents events);
  virtual ~Child() = default;

  // 0 after the reap or if the spawn failed; of a supervised one the supervisor's.
  [[nodiscard]] virtual int pid() const = 0;
  [[nodiscard]] virtual bool ready() const = 0;
  // Asks the child to end, and SIGKILLs its process group after the stop deadline. Asking means
  // SIGTERM; but the stock server, once ready, is sent its exit line first and SIGTERM only half a
  // second later: with its router variable set it never ends by SIGTERM alone (it waits for its
  // standard input), and its signal handler takes a lock. SIGCONT goes along, so that a stopped
  // child acts too. Idempotent.
  virtual void stop() = 0;
  // SIGKILL to its process group now; of a supervised one to everything that it has started.
  virtual void kill() = 0;
};

// Called by `holdfast jail --parent PID [--data BYTES] [--cgroup DIRECTORY] [--supervise yes] --
// ENGINE ARGS…` (hidden subcommand) before anything else of main, with argv[0] == "jail": sets
// PR_SET_PDEATHSIG, checks that the parent still is PID, enters its fence, sets no_new_privs, no
// core dumps, umask 077 and the oom score of a loading model, closes inherited descriptors above 2,
// execs or supervises. Returns only on failure, with the exit code (127).
int jail_main(int argc, char** argv);

// Sets who is to be executed as the jail: normally /proc/self/exe; tests name a program that calls
// jail_main. Call before the first spawn and before other threads.
void set_jail_program(std::string path);

}  // namespace hf::process
