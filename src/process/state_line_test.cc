#include "process/state_line.h"

#include <gtest/gtest.h>

#include <string>

namespace hf::process {
namespace {

using State = StateLine::State;

// Lines as llama-server v0.5.0 prints them.
constexpr std::string_view kLoading =
    R"(cmd_child_to_router:state:{"state":"loading","payload":{"stages":["text_model"],)"
    R"("current":"text_model","value":0.4195826053619385}})";
constexpr std::string_view kReady =
    R"(cmd_child_to_router:state:{"state":"ready","payload":{"id":"g","aliases":["g"],"meta":)"
    R"({"n_ctx":512,"n_params":268098176,"size":246587904,"ftype":"Q4_K - Medium"}}})";

TEST(StateLine, ReadsProgressAndReady) {
  ASSERT_TRUE(parse_state_line(kLoading));
  EXPECT_EQ(parse_state_line(kLoading)->state, State::Loading);
  EXPECT_NEAR(parse_state_line(kLoading)->fraction, 0.4196, 1e-4);
  ASSERT_TRUE(parse_state_line(kReady));
  EXPECT_EQ(parse_state_line(kReady)->state, State::Ready);
}

TEST(StateLine, CountsProgressOverAllParts) {
  const auto at = [](const std::string& current, const std::string& value) {
    return parse_state_line(
               R"(cmd_child_to_router:state:{"state":"loading","payload":{"stages":["text_model",)"
               R"("mmproj_model"],"current":")" +
               current + R"(","value":)" + value + "}}")
        ->fraction;
  };
  EXPECT_DOUBLE_EQ(at("text_model", "0"), 0.0);
  EXPECT_DOUBLE_EQ(at("text_model", "1"), 0.5);
  EXPECT_DOUBLE_EQ(at("mmproj_model", "0.5"), 0.75);
  EXPECT_DOUBLE_EQ(at("mmproj_model", "7"), 1.0);
  EXPECT_DOUBLE_EQ(at("text_model", "-1"), 0.0);
}

TEST(StateLine, TakesAnythingElseForALogLine) {
  EXPECT_FALSE(parse_state_line("srv  load_model: loading model"));
  EXPECT_FALSE(parse_state_line("cmd_child_to_router:state:{\"state\":"));
  EXPECT_FALSE(parse_state_line("cmd_child_to_router:state:[]"));
  EXPECT_FALSE(parse_state_line("cmd_child_to_router:state:{\"state\":7}"));
  EXPECT_FALSE(parse_state_line(""));
}

TEST(StateLine, HasNoOpinionOnOtherStatesAndShapes) {
  const auto line = [](const std::string& json) {
    return parse_state_line("cmd_child_to_router:state:" + json);
  };
  ASSERT_TRUE(line(R"({"state":"sleeping","payload":{}})"));
  EXPECT_EQ(line(R"({"state":"sleeping","payload":{}})")->state, State::Other);
  // The stock server says this without a value when the projector's turn comes.
  ASSERT_TRUE(line(R"({"state":"loading","payload":{"stage":"mmproj_model"}})"));
  EXPECT_EQ(line(R"({"state":"loading","payload":{"stage":"mmproj_model"}})")->state,
            State::Loading);
  EXPECT_EQ(line(R"({"state":"loading","payload":null})")->state, State::Loading);
}

}  // namespace
}  // namespace hf::process
