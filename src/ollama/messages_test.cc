#include "ollama/messages.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace hf::ollama {
namespace {

namespace json = boost::json;

json::value translated(std::string_view text) {
  const json::value value = json::parse(text);
  const Checked<json::array> messages = read_messages(value.as_array());
  EXPECT_TRUE(messages) << (messages ? "" : messages.error().message);
  return messages ? json::value(*messages) : json::value();
}

std::string fault(std::string_view text) {
  const json::value value = json::parse(text);
  const Checked<json::array> messages = read_messages(value.as_array());
  return messages ? "" : messages.error().message;
}

TEST(Messages, TextStaysAsItIs) {
  const char* const text = R"([{"role":"system","content":"Be brief."},
      {"role":"user","content":"Hi \u00e9\ud83d\ude00"},{"role":"assistant","content":"Hello"},
      {"role":"user","content":""}])";
  EXPECT_EQ(translated(text), json::parse(text));
}

TEST(Messages, MissingContentIsNoText) {
  EXPECT_EQ(translated(R"([{"role":"user"},{"role":"assistant","content":null}])"),
            json::parse(R"([{"role":"user","content":""},{"role":"assistant","content":""}])"));
}

TEST(Messages, PicturesComeBeforeTheText) {
  EXPECT_EQ(translated(R"([{"role":"user","content":"What?","images":["/9j/AAAA"]}])"),
            json::parse(R"([{"role":"user","content":[
              {"type":"image_url","image_url":{"url":"data:image/jpeg;base64,/9j/AAAA"}},
              {"type":"text","text":"What?"}]}])"));
}

TEST(Messages, OneRoleInARowIsOneMessage) {
  EXPECT_EQ(translated(R"([{"role":"user","content":"a"},
                           {"role":"user","content":"","images":["/9j/AAAA"]},
                           {"role":"user","content":"b"},{"role":"assistant","content":"c"}])"),
            json::parse(R"([{"role":"user","content":[
              {"type":"image_url","image_url":{"url":"data:image/jpeg;base64,/9j/AAAA"}},
              {"type":"text","text":"a\n\nb"}]},{"role":"assistant","content":"c"}])"));
}

TEST(Messages, CallsAndResultsFindEachOther) {
  const json::value found = translated(R"([
    {"role":"assistant","content":"","tool_calls":[
      {"function":{"name":"a","arguments":{"x":1.5}}},{"function":{"name":"b","arguments":{}}}]},
    {"role":"tool","content":"of b","tool_name":"b"},{"role":"tool","content":"of a"}])");
  EXPECT_EQ(found, json::parse(R"([
    {"role":"assistant","content":"","tool_calls":[
      {"id":"call00001","type":"function","function":{"name":"a","arguments":"{\"x\":1.5}"}},
      {"id":"call00002","type":"function","function":{"name":"b","arguments":"{}"}}]},
    {"role":"tool","content":"of b","name":"b","tool_call_id":"call00002"},
    {"role":"tool","content":"of a","tool_call_id":"call00001"}])"));
}

TEST(Messages, AResultIsTheOldestOpenCallsOfItsName) {
  const json::value found = translated(R"([
    {"role":"assistant","tool_calls":[
      {"id":"1","function":{"name":"a"}},{"id":"2","function":{"name":"b"}},
      {"id":"3","function":{"name":"a"}},{"id":"4","function":{"name":"b"}}]},
    {"role":"tool","content":"","tool_call_id":"1"},{"role":"tool","content":"","tool_name":"a"},
    {"role":"tool","content":"","tool_name":"a"},{"role":"tool","content":"","tool_name":"b"},
    {"role":"tool","content":"","tool_name":"b"},
    {"role":"tool","content":"","tool_call_id":"1"}])");
  std::string ids;
  for (std::size_t i = 1; i < found.as_array().size(); ++i) {
    const json::value* const id = found.at(i).as_object().if_contains("tool_call_id");
    ids += id != nullptr ? id->as_string().c_str() : "-";
  }
  EXPECT_EQ(ids, "1324-1");
}

TEST(Messages, IdsOfTheClientStay) {
  const json::value found = translated(R"([
    {"role":"assistant","tool_calls":[
      {"id":"one","type":"function","function":{"name":"a","arguments":"{\"x\":1}"}}]},
    {"role":"tool","content":"1","tool_call_id":"one"}])");
  EXPECT_EQ(found.at(0).at("tool_calls").at(0).at("id").as_string(), "one");
  EXPECT_EQ(found.at(0).at("tool_calls").at(0).at("function").at("arguments").as_string(),
            R"({"x":1})");
  EXPECT_EQ(found.at(1).at("tool_call_id").as_string(), "one");
}

TEST(Messages, ResultsOfSeveralToolsStayApart) {
  EXPECT_EQ(translated(R"([{"role":"tool","content":"1"},{"role":"tool","content":"2"}])")
                .as_array()
                .size(),
            2U);
}

TEST(Messages, ThoughtsAreReasoning) {
  EXPECT_EQ(translated(R"([{"role":"assistant","content":"4","thinking":"2+2"}])"),
            json::parse(R"([{"role":"assistant","content":"4","reasoning_content":"2+2"}])"));
}

TEST(Messages, FaultsSayWhere) {
  EXPECT_EQ(fault(R"(["x"])"), "messages[0] is not an object");
  EXPECT_EQ(fault(R"([{"role":"user","content":"x"},{"content":"x"}])"),
            "messages[1].role is missing");
  EXPECT_EQ(fault(R"([{"role":"user","content":["x"]}])"), "messages[0].content must be a string");
  EXPECT_EQ(fault(R"([{"role":"user","content":"x","images":["/9j/AAAA","secret word"]}])"),
            "messages[0].images[1] is not a picture in base64");
  EXPECT_EQ(fault(R"([{"role":"user","content":"x","images":"/9j/"}])"),
            "messages[0].images must be a list");
  EXPECT_EQ(fault(R"([{"role":"assistant","tool_calls":[{"name":"a"}]}])"),
            "messages[0].tool_calls holds a call without a function's name");
}

TEST(Tools, NullsAreLeftOutAndTheTypeIsSaid) {
  const json::value tools = json::parse(
      R"([{"function":{"name":"a","description":null,"parameters":{"type":"object","x":null}}}])");
  EXPECT_EQ(json::value(*read_tools(tools)),
            json::parse(R"([{"type":"function","function":{"name":"a",
                             "parameters":{"type":"object","x":null}}}])"));
}

TEST(Tools, FaultsSayWhich) {
  EXPECT_EQ(read_tools(json::parse(R"([{"type":"function"}])")).error().message,
            "tools[0] has no function with a name");
  EXPECT_EQ(read_tools(json::parse(R"({})")).error().message, "tools must be a list");
}

}  // namespace
}  // namespace hf::ollama
