#include "engine/worker_thread.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace hf::engine {
namespace {

TEST(Attempt, GivesWhatTheWorkReturned) {
  const auto result = attempt([] { return std::string("done"); });
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, "done");
}

TEST(Attempt, GivesNothingWhenTheWorkThrows) {
  const auto result = attempt([]() -> int { throw std::runtime_error("no memory"); });
  EXPECT_FALSE(result);
}

}  // namespace
}  // namespace hf::engine
