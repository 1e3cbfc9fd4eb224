#include "api/transport_errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hf::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(TransportErrors, ALargeBodyHearsTheLimitAndWhatRaisesIt) {
  const ApiError large = body_too_large(64, "body_limit");
  EXPECT_EQ(large.numbers.front(), (std::pair<std::string, std::int64_t>("limit_bytes", 64)));
  EXPECT_THAT(large.hint, HasSubstr("raise body_limit"));
  EXPECT_THAT(body_too_large(64, "").hint, Not(HasSubstr("raise")));
  const net::Reply reply = error_reply(large, Dialect::Anthropic, "id");
  EXPECT_EQ(reply.status, 413);
  EXPECT_TRUE(reply.close);
}

TEST(TransportErrors, WhatMayWorkLaterSaysWhenAndWhatToDo) {
  struct Row {
    net::Unfit reason;
    int status;
    const char* code;
  };
  for (const Row& row : {Row{net::Unfit::BodyStalled, 408, "body_stalled"},
                         Row{net::Unfit::NoMemory, 503, "no_memory"},
                         Row{net::Unfit::TooManyBodies, 503, "server_busy"},
                         Row{net::Unfit::TooManyConnections, 503, "too_many_connections"}}) {
    const ApiError error = from_unfit(row.reason, "");
    EXPECT_EQ(error.status, row.status);
    EXPECT_EQ(error.code, row.code);
    EXPECT_FALSE(error.message.empty()) << row.code;
    EXPECT_FALSE(error.hint.empty()) << row.code;
    EXPECT_GT(error.retry_after, Duration::zero()) << row.code;
  }
}

TEST(TransportErrors, WhatIsNoHttpIsToldWhy) {
  const ApiError error = from_unfit(net::Unfit::NotHttp, "two lengths");
  EXPECT_EQ(error.status, 400);
  EXPECT_EQ(error.code, "malformed_request");
  EXPECT_THAT(error.message, HasSubstr("two lengths"));
  EXPECT_EQ(error.retry_after, Duration::zero());
}

}  // namespace
}  // namespace hf::api
