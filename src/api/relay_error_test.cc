#include "api/relay_error.h"

#include <gmock/gmock.h>

namespace hf::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

net::RelayResult ended(net::RelayEnd end, net::Flaw flaw = net::Flaw::None) {
  net::RelayResult result;
  result.end = end;
  result.flaw = flaw;
  return result;
}

net::RelayResult refused(int status, int retry_after_s) {
  net::RelayResult result = ended(net::RelayEnd::UpstreamError);
  result.status = status;
  result.retry_after = std::chrono::seconds(retry_after_s);
  result.error_body = R"({"error":{"message":"slow down"}})";
  return result;
}

TEST(RelayError, AServersOwnTimeToComeBackIsPassedOn) {
  const ApiError error = from_error_answer(refused(429, 37), "m", Dialect::OpenAi);
  EXPECT_EQ(error.status, 429);
  EXPECT_EQ(error.message, "slow down");
  EXPECT_EQ(error.retry_after, std::chrono::seconds(37));
  EXPECT_EQ(from_error_answer(refused(500, 5), "m", Dialect::OpenAi).retry_after,
            std::chrono::seconds(5));
  EXPECT_EQ(from_error_answer(refused(503, 0), "m", Dialect::OpenAi).retry_after,
            std::chrono::seconds(1));
  EXPECT_EQ(from_error_answer(refused(400, 5), "m", Dialect::OpenAi).retry_after, Duration::zero());
}

TEST(RelayError, AProcessThatLivesIsNotCalledDead) {
  for (const net::RelayResult& result :
       {ended(net::RelayEnd::UpstreamRefused), ended(net::RelayEnd::UpstreamBroken),
        ended(net::RelayEnd::UpstreamBroken, net::Flaw::NoStream),
        ended(net::RelayEnd::UpstreamBroken, net::Flaw::Unfit)}) {
    const ApiError error = from_broken_answer(result, "m");
    EXPECT_EQ(error.status, 502);
    EXPECT_EQ(error.code, "upstream_error");
    EXPECT_THAT(error.message, HasSubstr("the server of model \"m\""));
    EXPECT_THAT(error.message, Not(HasSubstr("ended")));
    // What cannot be used will be no better the next time.
    EXPECT_EQ(error.retry_after > Duration::zero(), result.flaw == net::Flaw::None);
  }
}

TEST(RelayError, WhoGotNoStreamLearnsHowToGetTheAnswer) {
  const ApiError error =
      from_broken_answer(ended(net::RelayEnd::UpstreamBroken, net::Flaw::NoStream), "m");
  EXPECT_THAT(error.message, HasSubstr("with no stream"));
  EXPECT_THAT(error.hint, HasSubstr("x-holdfast-heartbeat: off"));
}

TEST(RelayError, APartOfAnAnswerIsADeath) {
  net::RelayResult result = ended(net::RelayEnd::UpstreamBroken);
  result.response_started = true;
  EXPECT_EQ(from_broken_answer(result, "m").code, "upstream_crashed");
  result.flaw = net::Flaw::Unfit;
  EXPECT_EQ(from_broken_answer(result, "m").code, "upstream_error");
}

}  // namespace
}  // namespace hf::api
