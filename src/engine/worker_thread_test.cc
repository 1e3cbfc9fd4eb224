#include "engine/worker_thread.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>

namespace hf::engine {
namespace {

TEST(Attempt, GivesWhatTheWorkReturned) {
  const auto result = attempt([] { return std::string("done"); });
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, "done");
}

TEST(WorkerThread, FinishesWhatIsQueuedBeforeItEnds) {
  int ran = 0;
  WorkerThread worker;
  worker.run([&ran] { ++ran; });
  worker.run([] { throw std::runtime_error("this job alone is lost"); });
  worker.run([&ran] { ++ran; });
  EXPECT_TRUE(worker.end());
  EXPECT_TRUE(worker.end()) << "a second time";
  EXPECT_EQ(ran, 2);
}

// A job that says when it runs, returns when it is told, and says when it is no more. It shares the
// promises, so that it may outlive the test.
struct Blocked {
  using Signal = std::shared_ptr<std::promise<void>>;
  Signal begun = std::make_shared<std::promise<void>>();
  Signal told = std::make_shared<std::promise<void>>();
  Signal destroyed = std::make_shared<std::promise<void>>();

  std::function<void()> job() const {
    const std::shared_ptr<void> last(nullptr, [signal = destroyed](void*) { signal->set_value(); });
    return [begun = begun, told = told, last] {
      begun->set_value();
      told->get_future().wait();
    };
  }
};

TEST(WorkerThread, LeavesAJobBehindThatDoesNotComeBackInTime) {
  Blocked blocked;
  const auto never = std::make_shared<int>();
  {
    WorkerThread worker(Duration::zero());
    worker.run(blocked.job());
    worker.run([never] { FAIL() << "nobody waits for it any more"; });
    blocked.begun->get_future().wait();
    EXPECT_FALSE(worker.end());
    EXPECT_FALSE(worker.end()) << "a second time";
    EXPECT_EQ(never.use_count(), 1) << "what never runs is destroyed at once";
  }
  blocked.told->set_value();  // it comes late, when its owner is gone
  blocked.destroyed->get_future().wait();
}

TEST(WorkerThread, WithALimitWaitsForWhatComesBackInTime) {
  Blocked blocked;
  WorkerThread worker{Duration(std::chrono::hours(1))};
  worker.run(blocked.job());
  blocked.told->set_value();
  EXPECT_TRUE(worker.end());
}

TEST(Attempt, GivesNothingWhenTheWorkThrows) {
  const auto result = attempt([]() -> int { throw std::runtime_error("no memory"); });
  EXPECT_FALSE(result);
}

}  // namespace
}  // namespace hf::engine
