#pragma once
// One background thread for what may block: SQLite, file headers, smaps. Jobs run one after
// another; values come back to the loop by post(). Why one: order is kept (a write follows the
// write before it), and the machine's cores belong to the models. run() is called from the loop
// thread only.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace hf::engine {

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
