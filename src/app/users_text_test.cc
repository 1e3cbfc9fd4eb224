#include "app/users_text.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace hf::app {
namespace {

std::string text_of(std::string_view model) {
  return users_text(boost::json::parse(model));
}

TEST(UsersText, SaysWhoRunsAndWhoWaits) {
  EXPECT_EQ(text_of(R"({"users": [{"name": "ann", "running": 2, "waiting": 0},
                                  {"name": "bob", "running": 1, "waiting": 3},
                                  {"name": "eve", "running": 0, "waiting": 1}]})"),
            "ann 2, bob 1 + 3 waiting, eve 1 waiting");
}

TEST(UsersText, IsShortWhereManyDo) {
  std::string list;
  for (int i = 0; i < 20; ++i) {
    list += std::string(i == 0 ? "" : ",") + R"({"name": "u", "running": 1, "waiting": 0})";
  }
  EXPECT_EQ(text_of(R"({"users": [)" + list + "]}"), "u 1, u 1, u 1, +17 more");
}

TEST(UsersText, IsNothingWhereNobodyIsToldOf) {
  EXPECT_EQ(text_of("{}"), "");
  EXPECT_EQ(text_of(R"({"users": []})"), "");
}

}  // namespace
}  // namespace hf::app
