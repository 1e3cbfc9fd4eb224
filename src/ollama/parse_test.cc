#include "ollama/parse.h"

#include <gtest/gtest.h>

#include <boost/json/storage_ptr.hpp>
#include <string>

namespace hf::ollama {
namespace {

// A copy in the library's own memory would have no limit.
TEST(Parse, KeepsTheValuesInItsOwnMemory) {
  const auto object = parse_object(R"({"a":[1,2,{"b":"c"}]})");
  ASSERT_TRUE(object);
  EXPECT_NE(object->storage().get(), boost::json::storage_ptr().get());
  EXPECT_EQ(object->at("a").storage().get(), object->storage().get());
  EXPECT_EQ(object->at("a").at(2).at("b").as_string(), "c");
}

TEST(Parse, SaysWhatIsWrong) {
  EXPECT_EQ(parse_object("[1]").error().message, "the body is not a JSON object");
  EXPECT_EQ(parse_object(R"({"a":1e999})").error().message,
            "the body holds a number that is too large");
  EXPECT_TRUE(parse_object("{").error().message.starts_with("the body is not valid JSON"));
}

// A number takes sixteen bytes, and two in the text.
TEST(Parse, RefusesWhatTakesTooMuch) {
  std::string text = R"({"a":[0)";
  for (int i = 0; i < 8'000'000; ++i) {
    text += ",0";
  }
  EXPECT_EQ(parse_object(text + "]}").error().message, "the body holds too many values");
}

}  // namespace
}  // namespace hf::ollama
