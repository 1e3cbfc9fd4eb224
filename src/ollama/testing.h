#pragma once
// What the tests of this folder share: a clock that stands still until it is moved, and a
// translator fed with an answer that is cut anywhere.

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/translator.h"
#include "ollama/answer_writer.h"

namespace hf::ollama::testing {

inline constexpr std::int64_t kWallNs = 1'760'000'000'123'456'789;
inline constexpr const char* kWallText = "2025-10-09T08:53:20.123456789Z";

struct TestClock {
  TimePoint now{std::chrono::seconds(100)};

  Clock clock() {
    return Clock{[] { return kWallNs; }, [this] { return now; }};
  }
};

inline boost::json::object parsed(std::string_view text) {
  boost::system::error_code ec;
  boost::json::value value = boost::json::parse(text, ec);
  EXPECT_FALSE(ec) << text;
  return value.is_object() ? value.get_object() : boost::json::object();
}

struct Translated {
  std::string type;
  std::string text;
  bool complete = false;
  std::string error;  // what the engine said when it gave up

  // Of a stream of lines.
  std::vector<boost::json::object> lines() const {
    std::vector<boost::json::object> result;
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      EXPECT_NE(end, std::string_view::npos) << "a line without an end";
      result.push_back(parsed(rest.substr(0, end)));
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return result;
  }
};

// `piece`: bytes at a time.
inline Translated feed(net::Translator& translator, std::string_view upstream_type,
                       std::string_view body, std::size_t piece) {
  Translated result;
  result.type = translator.content_type(200, upstream_type);
  for (std::size_t at = 0; at < body.size(); at += piece) {
    result.text += translator.translate(body.substr(at, piece));
  }
  const std::optional<std::string> end = translator.finish();
  result.complete = end.has_value();
  result.text += end.value_or("");
  return result;
}

}  // namespace hf::ollama::testing
