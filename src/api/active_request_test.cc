#include "api/active_request.h"

#include <gtest/gtest.h>

namespace hf::api {
namespace {

Caller caller(std::uint32_t user, std::optional<int> max_active) {
  Caller made;
  made.user = UserId(user);
  made.max_active = max_active;
  return made;
}

class ActiveRequestTest : public ::testing::Test {
 protected:
  std::shared_ptr<ActiveRequests> all_ = std::make_shared<ActiveRequests>();
};

TEST_F(ActiveRequestTest, CountsUntilItIsGone) {
  const Caller ann = caller(1, 1);
  std::shared_ptr<ActiveRequest> first;
  std::shared_ptr<ActiveRequest> second;
  EXPECT_FALSE(count_in(all_, ann, first));
  const auto refused = count_in(all_, ann, second);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, 429);
  EXPECT_EQ(refused->code, "user_limit");
  EXPECT_EQ(second, nullptr);
  EXPECT_EQ(all_->at(ann.user), 1) << "what is refused does not count";
  first.reset();
  EXPECT_TRUE(all_->empty());
  EXPECT_FALSE(count_in(all_, ann, second));
}

TEST_F(ActiveRequestTest, CountsOnceAndEachUserApart) {
  std::shared_ptr<ActiveRequest> one;
  EXPECT_FALSE(count_in(all_, caller(1, 1), one));
  EXPECT_FALSE(count_in(all_, caller(1, 1), one)) << "it is counted already";
  EXPECT_EQ(all_->at(UserId(1)), 1);
  std::shared_ptr<ActiveRequest> other;
  EXPECT_FALSE(count_in(all_, caller(2, std::nullopt), other));
  EXPECT_EQ(all_->size(), 2);
}

}  // namespace
}  // namespace hf::api
