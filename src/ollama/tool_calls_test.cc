#include "ollama/tool_calls.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace hf::ollama {
namespace {

namespace json = boost::json;

json::array list(std::string_view text) {
  return json::parse(text).as_array();
}

TEST(ToolCalls, PiecesAreJoinedByTheirIndex) {
  ToolCalls calls;
  EXPECT_TRUE(calls.empty());
  EXPECT_TRUE(calls.add(list(R"([{"index":0,"id":"a","function":{"name":"f","arguments":""}}])")));
  EXPECT_TRUE(calls.add(list(R"([{"index":0,"function":{"arguments":"{\"x\":"}}])")));
  EXPECT_TRUE(calls.add(list(R"([{"index":1,"id":"b","function":{"name":"g"}}])")));
  EXPECT_TRUE(calls.add(list(R"([{"index":0,"function":{"arguments":"1}"}}])")));
  EXPECT_EQ(json::value(calls.whole()),
            json::parse(R"([{"id":"a","function":{"index":0,"name":"f","arguments":{"x":1}}},
                            {"id":"b","function":{"index":1,"name":"g","arguments":{}}}])"));
  EXPECT_FALSE(calls.cut());
}

TEST(ToolCalls, WholeOnesHaveNoIndex) {
  ToolCalls calls;
  EXPECT_TRUE(calls.add(list(R"([{"id":"a","type":"function",
      "function":{"name":"f","arguments":"{}"}},{"function":{"name":"g","arguments":"{}"}}])")));
  EXPECT_EQ(calls.whole().size(), 2U);
  EXPECT_FALSE(calls.whole().at(1).as_object().contains("id"));
}

TEST(ToolCalls, HalfOfOneIsLeftOut) {
  ToolCalls calls;
  calls.add(list(R"([{"index":0,"function":{"name":"f","arguments":"{\"x\": 1, \"y\""}},
                     {"index":1,"function":{"name":"g","arguments":"[1]"}},
                     {"index":2,"function":{"name":"h","arguments":"{}"}}])"));
  EXPECT_EQ(calls.whole().size(), 1U);
  EXPECT_TRUE(calls.cut());
}

TEST(ToolCalls, WhatComesIsBounded) {
  ToolCalls calls;
  EXPECT_FALSE(calls.add(list(R"([{"index":1000000000,"function":{"name":"f"}}])")));
  const json::array large{json::object{
      {"index", 0}, {"function", json::object{{"arguments", std::string(9'000'000, ' ')}}}}};
  EXPECT_TRUE(calls.add(large));
  EXPECT_FALSE(calls.add(large));
}

TEST(ToolCalls, WhatDoesNotLookLikeOneIsPassedOver) {
  ToolCalls calls;
  EXPECT_TRUE(calls.add(list(R"([5, "x", null])")));
  EXPECT_TRUE(calls.whole().empty());
}

}  // namespace
}  // namespace hf::ollama
