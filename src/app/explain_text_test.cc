#include "app/explain_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace hf::app {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;
using ::testing::Not;

std::string text_of(std::string_view story) {
  return explain_text(json::parse(story));
}

TEST(ExplainText, CallsNoLoadTimeMeasuredThatWasComputed) {
  const std::string text = text_of(R"({"costs": {"reload_s": 5, "load_cached_s": 0.5,
      "load_cached_estimated": false, "load_cold_s": 12, "load_cold_estimated": true}})");
  EXPECT_THAT(text, HasSubstr("from the page cache it took 500 ms"));
  EXPECT_THAT(text, HasSubstr("from the disk about 12.0 s (estimated)"));
  EXPECT_THAT(text, Not(HasSubstr("from the disk it took")));
}

}  // namespace
}  // namespace hf::app
