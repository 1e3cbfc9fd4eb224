#include "ollama/keep_alive.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace hf::ollama {
namespace {

// "usual", "zero" or "fault".
std::string read(std::string_view json) {
  const boost::json::value value = boost::json::parse(json);
  const Checked<KeepAlive> found = read_keep_alive(&value);
  if (!found) {
    EXPECT_EQ(found.error().param, "keep_alive");
    return "fault";
  }
  return *found == KeepAlive::Zero ? "zero" : "usual";
}

TEST(KeepAlive, OnlyZeroMeansSomething) {
  for (const char* usual :
       {"null", "\"\"", "300", "-1", "0.5", "\"5m\"", "\"-1\"", "\"-1s\"", "\"1h30m\"", "\"1.5h\"",
        "\"300\"", "\"10us\"", "\"24h\"", "\"0h1m\""}) {
    EXPECT_EQ(read(usual), "usual") << usual;
  }
  for (const char* zero :
       {"0", "0.0", "-0.0", "\"0\"", "\"0s\"", "\"0m\"", "\"0.0h\"", "\"-0s\""}) {
    EXPECT_EQ(read(zero), "zero") << zero;
  }
  EXPECT_EQ(*read_keep_alive(nullptr), KeepAlive::AsUsual);
}

TEST(KeepAlive, OtherThingsAreFaults) {
  for (const char* bad : {"true", "[]", "{}", "\"soon\"", "\"5 minutes\"", "\"m\"", "\"-\"",
                          "\".\"", "\"5d\"", "\"5m x\"", "\"5mm\"", "\" 5m\""}) {
    EXPECT_EQ(read(bad), "fault") << bad;
  }
}

}  // namespace
}  // namespace hf::ollama
