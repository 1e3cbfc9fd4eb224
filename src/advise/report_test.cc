#include "advise/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "advise/example.h"

namespace hf::advise {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(AdviceJson, HoldsEveryScenarioAndWhatIsAdvised) {
  const Case history = make_case(alternating(50), limits(5 * kGiB));
  const Advice advice = advise(history, 1, {});
  const auto json = boost::json::parse(to_json(history, &advice, Language::English));
  EXPECT_TRUE(json.at("enough").as_bool());
  EXPECT_EQ(json.at("history").at("requests").as_int64(), 100);
  EXPECT_EQ(json.at("recorded").at("loads").as_int64(), 100);
  EXPECT_EQ(json.at("recorded").at("wait_s").at("sum").as_double(), 1000);
  EXPECT_EQ(json.at("present").at("budget_bytes").as_int64(), (5 * kGiB).count);
  EXPECT_EQ(json.at("scenarios").as_array().size(), advice.replayed.size());
  const auto& more = json.at("advised").at("more_memory");
  EXPECT_EQ(more.at("budget_bytes").as_int64(), (10 * kGiB).count);
  EXPECT_EQ(more.at("loads").as_int64(), 2);
  EXPECT_TRUE(json.at("advised").at("pin").is_null());
  EXPECT_EQ(json.at("trust").as_string(), "good");
  EXPECT_EQ(json.at("models").at(0).at("load_s").as_double(), 10);
}

TEST(AdviceJson, TooLittleHistoryIsSaidInTheSamePlaces) {
  const Case history = make_case({}, limits(5 * kGiB));
  const auto json = boost::json::parse(to_json(history, nullptr, Language::English));
  EXPECT_FALSE(json.at("enough").as_bool());
  EXPECT_EQ(json.at("history").at("requests").as_int64(), 0);
  EXPECT_EQ(json.at("scenarios").as_array().size(), 0U);
  EXPECT_THAT(json.at("verdict").at(0).as_string().c_str(), HasSubstr("too little"));
}

TEST(AdvicePlot, HoldsNumbersAndNoNames) {
  store::RequestLog log = alternating(50);
  log.models[0].name = "\"\nset output '/tmp/x'\n!touch /tmp/y";
  const Case history = make_case(log, limits(5 * kGiB));
  const Advice advice = advise(history, 1, {});
  const std::string script = plot_script(history, advice, Language::English);
  EXPECT_THAT(script, Not(HasSubstr("touch")));
  EXPECT_THAT(script, HasSubstr("\n5.000000 100 16.996667 0\n"));
  EXPECT_THAT(script, HasSubstr("\n10.000000 2 0.333333 0\n"));
  EXPECT_THAT(script, HasSubstr("now: 5.00 GiB"));
}

}  // namespace
}  // namespace hf::advise
