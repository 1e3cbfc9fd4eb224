#pragma once
// One background thread for what may block: SQLite, file headers, smaps. Jobs run one after
// another; values come back to the loop by post(). Why one: order is kept (a write follows the
// write before it), and the machine's cores belong to the models. run() and end() are called from
// the loop thread only.
//
// A thread that blocks in somebody else's code for ever cannot be stopped, only left behind. One
// with a limit is, at its end: it shares what it needs with the owner instead of borrowing it, so
// that it finds all of it there whenever it comes back, and ends. Its jobs must do likewise
// (way_back.h), and the process must end without the destructors of static objects.

#include <condition_variable>
#include <cstdio>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>

#include "base/time.h"

namespace hf::engine {

// For a job that must report back whatever happens: what `work` returned, or null if it threw (out
// of memory, a library that throws), which is then told on standard error. On the worker.
template <class Work>
std::shared_ptr<std::invoke_result_t<Work>> attempt(const Work& work) {
  try {
    return std::make_shared<std::invoke_result_t<Work>>(work());
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "background job failed: %s\n", failure.what());
    return nullptr;
  }
}

class WorkerThread {
 public:
  // `longest_end`: how long the end waits for the jobs; nullopt: as long as they take.
  explicit WorkerThread(std::optional<Duration> longest_end = std::nullopt);
  ~WorkerThread();  // end()
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  // Requires: before end().
  void run(std::function<void()> job);

  // Finishes the jobs already queued, then the thread. False: one of them did not come back in
  // time; the thread was left behind with it, and the jobs after it never ran. Further calls do
  // nothing and say the same.
  bool end();

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::function<void()>> jobs;
    bool stopping = false;
    bool ended = false;  // the thread has nothing left to do
  };

  static void loop(Shared& shared);

  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::optional<Duration> longest_end_;
  bool left_behind_ = false;
  std::thread thread_;  // last: starts when all else is there
};

}  // namespace hf::engine
