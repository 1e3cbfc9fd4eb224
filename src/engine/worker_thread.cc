#include "engine/worker_thread.h"

#include <pthread.h>
#include <signal.h>

#include <cstdio>
#include <exception>
#include <utility>

namespace hf::engine {

WorkerThread::WorkerThread() {
  // Signals belong to the loop thread: this one inherits a mask that blocks them all.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { loop(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

WorkerThread::~WorkerThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void WorkerThread::run(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void WorkerThread::loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) {
      return;
    }
    std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    try {
      job();
    } catch (const std::exception& failure) {
      // Out of memory, or a library that throws: this job is lost, the server is not.
      std::fprintf(stderr, "background job failed: %s\n", failure.what());
    }
    job = nullptr;  // what it captured is destroyed here, not under the lock
    lock.lock();
  }
}

}  // namespace hf::engine
