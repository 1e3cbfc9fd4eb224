#include "engine/side_jobs.h"

#include <gmock/gmock.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace hf::engine {
namespace {

using ::testing::ElementsAre;

constexpr UserId kAnn(1);
constexpr UserId kBob(2);

// The first job holds the thread until go(), so that the others wait.
class SideJobsTest : public ::testing::Test {
 protected:
  SideJob job(UserId user, std::string name, std::size_t bytes = 0) {
    SideJob made;
    made.user = user;
    made.bytes = bytes;
    made.work = [this, name] { worked_.push_back(name); };
    made.done = [this, name] { done_.push_back(name); };
    return made;
  }
  SideJobId hold(UserId user) {
    SideJob held = job(user, "held");
    held.work = [this] { gone_on_.get_future().wait(); };
    return *jobs_.add(std::move(held));
  }
  void go() { gone_on_.set_value(); }
  // Until the last of `count` jobs came back to the loop.
  void run(int count) {
    for (int i = 0; i < count; ++i) {
      io_.run_one();
    }
  }

  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> busy_{
      io_.get_executor()};
  std::promise<void> gone_on_;
  std::vector<std::string> worked_;  // by the thread; looked at when it is idle
  std::vector<std::string> done_;
  SideJobs jobs_{io_, {.jobs = 6, .bytes = 100}};
};

TEST_F(SideJobsTest, ComeBackToTheLoopEvenIfTheyThrow) {
  SideJob throws = job(kAnn, "throws");
  throws.work = [] { throw std::runtime_error("no memory"); };
  EXPECT_TRUE(jobs_.add(std::move(throws)));
  EXPECT_TRUE(jobs_.add(job(kAnn, "a")));
  run(2);
  EXPECT_THAT(done_, ElementsAre("throws", "a"));
}

TEST_F(SideJobsTest, UsersTakeTurns) {
  hold(kAnn);
  jobs_.add(job(kAnn, "a1"));
  jobs_.add(job(kAnn, "a2"));
  jobs_.add(job(kBob, "b1"));
  jobs_.add(job(kBob, "b2"));
  go();
  run(5);
  EXPECT_THAT(worked_, ElementsAre("b1", "a1", "b2", "a2"));
  EXPECT_THAT(done_, ElementsAre("held", "b1", "a1", "b2", "a2"));
}

TEST_F(SideJobsTest, WhatWaitsIsForgottenAtOnceWhenItIsGivenUp) {
  hold(kAnn);
  SideJob large = job(kAnn, "large");
  const auto body = std::make_shared<int>();
  large.done = [body] { FAIL() << "nobody waits for it"; };
  const auto id = jobs_.add(std::move(large));
  jobs_.add(job(kAnn, "next"));
  jobs_.give_up(*id);
  EXPECT_EQ(body.use_count(), 1);
  jobs_.give_up(*id);  // a second time
  go();
  run(2);
  EXPECT_THAT(worked_, ElementsAre("next"));
}

TEST_F(SideJobsTest, WhatRunsKeepsWhatItUsesUntilItIsOver) {
  const auto body = std::make_shared<int>();
  SideJob running = job(kAnn, "running");
  running.work = [this] { gone_on_.get_future().wait(); };
  running.done = [body] { FAIL() << "nobody waits for it"; };
  const auto id = jobs_.add(std::move(running));
  jobs_.give_up(*id);
  EXPECT_EQ(body.use_count(), 2);
  go();
  run(1);
  EXPECT_EQ(body.use_count(), 1);
}

TEST_F(SideJobsTest, OneUserHasHalfOfThePlaces) {
  hold(kAnn);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(jobs_.add(job(kAnn, "a")));
  }
  EXPECT_FALSE(jobs_.add(job(kAnn, "a")));
  const auto last = [this] {
    jobs_.add(job(kBob, "b"));
    jobs_.add(job(kBob, "b"));
    return jobs_.add(job(kBob, "b"));
  }();
  ASSERT_TRUE(last);
  EXPECT_FALSE(jobs_.add(job(UserId(3), "c"))) << "all places are taken";
  jobs_.give_up(*last);
  EXPECT_TRUE(jobs_.add(job(UserId(3), "c")));
  go();
  run(7);
}

TEST_F(SideJobsTest, BytesAreBoundedButForWhatWaitsAlone) {
  hold(kAnn);
  const auto huge = jobs_.add(job(kAnn, "huge", 1000));
  ASSERT_TRUE(huge);
  EXPECT_FALSE(jobs_.add(job(kBob, "b", 1)));
  jobs_.give_up(*huge);
  EXPECT_TRUE(jobs_.add(job(kAnn, "a", 50)));
  EXPECT_FALSE(jobs_.add(job(kAnn, "a", 1)));
  EXPECT_TRUE(jobs_.add(job(kBob, "b", 50)));
  EXPECT_FALSE(jobs_.add(job(UserId(3), "c", 1)));
  go();
  run(3);
  EXPECT_TRUE(jobs_.add(job(kAnn, "at once", 1000)));
  run(1);
}

TEST_F(SideJobsTest, AtTheEndWhatWaitsNeverRuns) {
  const auto body = std::make_shared<int>();
  {
    SideJobs jobs(io_, {.jobs = 6, .bytes = 100});
    SideJob running = job(kAnn, "running");
    running.work = [this] { gone_on_.get_future().wait(); };
    jobs.add(std::move(running));
    SideJob waiting = job(kAnn, "waiting");
    waiting.done = [body] { FAIL() << "its server is gone"; };
    jobs.add(std::move(waiting));
    go();
  }
  EXPECT_EQ(body.use_count(), 1);
  io_.poll();
  EXPECT_THAT(worked_, ElementsAre());
  EXPECT_THAT(done_, ElementsAre());
}

}  // namespace
}  // namespace hf::engine
