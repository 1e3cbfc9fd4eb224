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

TEST(ExplainText, SaysWhyAModelIsRefusedWhenItWasTriedAndWhatToDo) {
  const std::string text = text_of(R"({"model": {"name": "a", "state": "failed",
      "retry_in_s": 3, "problem": null, "pin_problem": null,
      "refused": {"message": "model \"a\" cannot be served now: its last load failed",
                  "hint": "see the log"},
      "last_failure": {"age_s": 12, "cause": "it ran out of memory", "in_a_row": 3,
                       "of_file": false}}})");
  EXPECT_THAT(text, HasSubstr("refused now: model \"a\" cannot be served now: its last load"));
  EXPECT_THAT(text, HasSubstr("failed 12.0 s ago, 3 in a row: it ran out of memory"));
  EXPECT_THAT(text, HasSubstr("next attempt: allowed in 3.0 s"));
  EXPECT_THAT(text, HasSubstr("-> see the log"));
}

TEST(ExplainText, OfABrokenFileTellsWhenItWasLookedAtAndItsPin) {
  const std::string text = text_of(R"({"model": {"name": "a", "state": "failed",
      "pin_problem": "is pinned but not loaded: the model's file is missing",
      "last_failure": {"age_s": 12, "cause": "x", "in_a_row": 1, "of_file": true}}})");
  EXPECT_THAT(text, HasSubstr("its file was looked at 12.0 s ago"));
  EXPECT_THAT(text, HasSubstr("pin: it is pinned but not loaded: the model's file is missing"));
}

TEST(ExplainText, TellsNoFiguresOfAFileThatCannotBeRead) {
  const std::string text = text_of(R"({"model": {"name": "a", "state": "failed",
      "bytes_estimated": 0, "problem": "damaged"}, "costs": {"reload_s": 0.5}})");
  EXPECT_THAT(text, Not(HasSubstr("memory:")));
  EXPECT_THAT(text, Not(HasSubstr("loading it")));
}

TEST(ExplainText, SaysThatAnAbsentModelIsNotLoaded) {
  EXPECT_THAT(text_of(R"({"model": {"name": "a", "state": "absent", "in_state_s": 2}})"),
              HasSubstr("a is not loaded, for 2.0 s"));
}

TEST(ExplainText, NamesWhoUsesAndWhoWaitsWhereItIsTold) {
  const std::string text = text_of(R"({"model": {"name": "a", "state": "ready",
      "users": [{"name": "ann", "running": 1, "waiting": 1}]},
      "requests": [{"place": 1, "waited_s": 3, "user": "ann"}, {"place": 2, "waited_s": 1}]})");
  EXPECT_THAT(text, HasSubstr("  used by: ann 1 + 1 waiting\n"));
  EXPECT_THAT(text, HasSubstr("  1. ann for 3.0 s"));
  EXPECT_THAT(text, HasSubstr("  2. for 1.0 s"));
}

TEST(ExplainText, HasNoTroubleToTellOfAModelThatWorks) {
  const std::string text = text_of(R"({"model": {"name": "a", "state": "ready",
      "refused": null, "last_failure": null, "problem": null, "pin_problem": null}})");
  EXPECT_THAT(text, Not(HasSubstr("refused")));
  EXPECT_THAT(text, Not(HasSubstr("attempt")));
  EXPECT_THAT(text, Not(HasSubstr("->")));
}

}  // namespace
}  // namespace hf::app
