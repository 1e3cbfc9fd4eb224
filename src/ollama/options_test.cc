#include "ollama/options.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace hf::ollama {
namespace {

namespace json = boost::json;

Checked<Options> read(std::string_view text, std::int64_t context = 4096) {
  const json::value value = json::parse(text);
  return read_options(&value, context);
}

json::value fields(std::string_view text, std::int64_t context = 4096) {
  const Checked<Options> options = read(text, context);
  EXPECT_TRUE(options) << text;
  return options ? json::value(options->fields) : json::value();
}

std::string warning(std::string_view text, std::int64_t context = 4096) {
  const Checked<Options> options = read(text, context);
  EXPECT_TRUE(options) << text;
  return options ? options->warning : "";
}

TEST(Options, EachIsToldByTheEnginesName) {
  EXPECT_EQ(fields(R"({"temperature": 0.8, "top_k": 20, "top_p": 0.9, "min_p": 0.05,
                       "typical_p": 0.7, "seed": 42, "num_predict": 100, "num_keep": 5,
                       "stop": ["\n", "user:"], "repeat_penalty": 1.2, "repeat_last_n": 33,
                       "presence_penalty": 1.5, "frequency_penalty": 1.0, "mirostat": 1,
                       "mirostat_tau": 0.8, "mirostat_eta": 0.6})"),
            json::parse(R"({"temperature": 0.8, "top_k": 20, "top_p": 0.9, "min_p": 0.05,
                       "typical_p": 0.7, "seed": 42, "max_tokens": 100, "n_keep": 5,
                       "stop": ["\n", "user:"], "repeat_penalty": 1.2, "repeat_last_n": 33,
                       "presence_penalty": 1.5, "frequency_penalty": 1.0, "mirostat": 1,
                       "mirostat_tau": 0.8, "mirostat_eta": 0.6})"));
}

TEST(Options, NothingIsAddedToNothing) {
  EXPECT_EQ(fields("{}"), json::value(json::object()));
  EXPECT_EQ(fields("null"), json::value(json::object()));
  EXPECT_EQ(fields(R"({"temperature": null, "stop": null, "foo": null})"),
            json::value(json::object()));
  EXPECT_EQ(warning(R"({"num_ctx": null})"), "");
}

TEST(Options, NoLimitIsTheEnginesOwnEnd) {
  for (const char* none : {"-1", "-2", "0", "-1.0"}) {
    EXPECT_EQ(fields(R"({"num_predict": )" + std::string(none) + "}"), json::value(json::object()));
  }
  EXPECT_EQ(fields(R"({"num_predict": 99999999999})"),
            json::parse(R"({"max_tokens": 2147483647})"));
}

TEST(Options, LessThanZeroMeansAll) {
  EXPECT_EQ(fields(R"({"num_keep": -1})"), json::parse(R"({"n_keep": -1})"));
  EXPECT_EQ(fields(R"({"num_keep": -7})"), json::parse(R"({"n_keep": -1})"));
  EXPECT_EQ(fields(R"({"repeat_last_n": 200000000})"), json::parse(R"({"repeat_last_n": 4096})"));
  EXPECT_EQ(fields(R"({"repeat_last_n": -1})"), json::parse(R"({"repeat_last_n": 4096})"));
}

TEST(Options, WholeNumbersMayComeAsFractions) {
  EXPECT_EQ(fields(R"({"top_k": 20.0})"), json::parse(R"({"top_k": 20})"));
  EXPECT_EQ(warning(R"({"num_ctx": 4096.0})"), "");
}

TEST(Options, SeedsHave32Bits) {
  EXPECT_EQ(fields(R"({"seed": -1})"), json::parse(R"({"seed": 4294967295})"));
  EXPECT_EQ(fields(R"({"seed": 4294967296})"), json::parse(R"({"seed": 0})"));
}

TEST(Options, OneStopWordMayStandAlone) {
  EXPECT_EQ(fields(R"({"stop": "END"})"), json::parse(R"({"stop": ["END"]})"));
  EXPECT_EQ(fields(R"({"stop": ["", "END"]})"), json::parse(R"({"stop": ["END"]})"));
  EXPECT_EQ(fields(R"({"stop": []})"), json::value(json::object()));
}

TEST(Options, AnotherContextIsSaidToBeNotApplied) {
  const std::string told = warning(R"({"num_ctx": 8192})");
  EXPECT_NE(told.find("num_ctx 8192"), std::string::npos) << told;
  EXPECT_NE(told.find("4096 tokens"), std::string::npos) << told;
  EXPECT_EQ(warning(R"({"num_ctx": 4096})"), "");
  EXPECT_EQ(warning(R"({"num_ctx": 8192})", 0), "");
}

TEST(Options, WhatTheLoadDecidedIsNamed) {
  EXPECT_NE(warning(R"({"num_gpu": 99, "num_thread": 4})").find("num_gpu, num_thread are not"),
            std::string::npos);
  EXPECT_EQ(warning(R"({"low_vram": true, "use_mmap": false, "numa": false, "f16_kv": true})"), "");
  EXPECT_EQ(warning(R"({"tfs_z": 1.0, "penalize_newline": true})"), "");
}

TEST(Options, UnknownOnesAreNamedIfTheyLookLikeNames) {
  EXPECT_EQ(warning(R"({"top_z": 1})"), "unknown options are ignored: top_z");
  EXPECT_EQ(warning("{\"a\\r\\nx: y\": 1}"), "unknown options are ignored: ...");
  EXPECT_LT(warning(R"({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1})").size(), 80U);
}

TEST(Options, WrongTypesAreFaultsThatNameTheOption) {
  for (const auto& [text, param] : std::vector<std::pair<const char*, const char*>>{
           {R"({"temperature": "0.7"})", "options.temperature"},
           {R"({"temperature": true})", "options.temperature"},
           {R"({"top_k": "20"})", "options.top_k"},
           {R"({"top_k": [1]})", "options.top_k"},
           {R"({"num_ctx": "4096"})", "options.num_ctx"},
           {R"({"num_gpu": true})", "options.num_gpu"},
           {R"({"use_mmap": 1})", "options.use_mmap"},
           {R"({"stop": 5})", "options.stop"},
           {R"({"stop": ["a", 5]})", "options.stop"},
           {R"({"top_k": 3000000000})", "options.top_k"},
           {R"({"seed": 1e300})", "options.seed"},
           {R"({"temperature": 1e300})", "options.temperature"},
           {R"([])", "options"},
           {R"("temperature")", "options"}}) {
    const Checked<Options> options = read(text);
    ASSERT_FALSE(options) << text;
    EXPECT_EQ(options.error().param, param);
  }
  EXPECT_EQ(read(R"({"top_k": "20"})").error().message, "option \"top_k\" must be of type integer");
}

}  // namespace
}  // namespace hf::ollama
