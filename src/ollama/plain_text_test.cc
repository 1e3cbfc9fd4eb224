#include "ollama/plain_text.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>

namespace hf::ollama {
namespace {

TEST(PlainText, WritesNumbersAsPeopleDo) {
  for (const std::string text :
       {"1.5", "-0.25", "3", "-7", "18446744073709551615", "1e+300", "null", "true", "[]", "{}",
        R"("a\n\u0001é")", R"([1,[2.5,{}],[]])", R"({"a":0.1,"b\"":{"c":[]}})"}) {
    EXPECT_EQ(plain_text(boost::json::parse(text)), text);
  }
  EXPECT_EQ(plain_text(boost::json::parse("1.0")), "1");
  EXPECT_EQ(plain_text(boost::json::parse("0.1000")), "0.1");
}

}  // namespace
}  // namespace hf::ollama
