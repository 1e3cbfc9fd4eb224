#include "engine/worker_thread.h"

#include <pthread.h>
#include <signal.h>

#include <cstdio>
#include <exception>
#include <utility>

#include "base/assert.h"

namespace hf::engine {

WorkerThread::WorkerThread(std::optional<Duration> longest_end) : longest_end_(longest_end) {
  // Signals belong to the loop thread: this one inherits a mask that blocks them all.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([shared = shared_] { loop(*shared); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

WorkerThread::~WorkerThread() {
  end();
}

void WorkerThread::run(std::function<void()> job) {
  {
    const std::lock_guard lock(shared_->mutex);
    HF_ASSERT(!shared_->stopping, "no job comes after the end");
    shared_->jobs.push_back(std::move(job));
  }
  shared_->changed.notify_all();
}

bool WorkerThread::end() {
  if (!thread_.joinable()) {
    return !left_behind_;
  }
  std::deque<std::function<void()>> never_run;  // destroyed here, not under the lock
  {
    std::unique_lock lock(shared_->mutex);
    shared_->stopping = true;
    shared_->changed.notify_all();
    const auto ended = [this] { return shared_->ended; };
    if (longest_end_ && !shared_->changed.wait_for(lock, *longest_end_, ended)) {
      left_behind_ = true;
      never_run.swap(shared_->jobs);
    }
  }
  if (left_behind_) {
    thread_.detach();
  } else {
    thread_.join();
  }
  return !left_behind_;
}

void WorkerThread::loop(Shared& shared) {
  std::unique_lock lock(shared.mutex);
  for (;;) {
    shared.changed.wait(lock, [&shared] { return shared.stopping || !shared.jobs.empty(); });
    if (shared.jobs.empty()) {
      shared.ended = true;
      shared.changed.notify_all();
      return;
    }
    std::function<void()> job = std::move(shared.jobs.front());
    shared.jobs.pop_front();
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
