#pragma once
// One background thread for what may block: SQLite, file headers, smaps. Jobs run one after
// another; values come back to the loop by post(). Why one: order is kept (a write follows the
// write before it), and the machine's cores belong to the models. run() is called from the loop
// thread only.

#include <condition_variable>
#include <cstdio>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>

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
  WorkerThread();
  ~WorkerThread();  // finishes the jobs already queued, then joins
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  void run(std::function<void()> job);

 private:
  void loop();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::thread thread_;  // last: starts when all else is there
};

}  // namespace hf::engine
