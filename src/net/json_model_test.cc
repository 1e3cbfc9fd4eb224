#include "net/json_model.h"

#include <gtest/gtest.h>

#include <string>

#include "net/json_fields.h"

namespace hf::net {
namespace {

BodyResult read(const std::string& body, BodyRules rules = {}) {
  std::string padded = body;
  padded.resize(body.size() + 64, '\0');
  const BodyResult fast = read_body_fields(std::string_view(padded).substr(0, body.size()), rules);
  // The reader for unusual numbers must never have another opinion.
  const BodyResult slow =
      read_body_fields_by_events(std::string_view(padded).substr(0, body.size()), rules);
  EXPECT_EQ(fast.fields.has_value(), slow.fields.has_value()) << body.substr(0, 80);
  if (fast.fields && slow.fields) {
    EXPECT_EQ(fast.fields->model, slow.fields->model);
    EXPECT_EQ(fast.fields->stream, slow.fields->stream);
    EXPECT_EQ(fast.fields->max_tokens, slow.fields->max_tokens);
    EXPECT_TRUE(slow.fields->media.remote || !fast.fields->media.remote) << body.substr(0, 80);
    EXPECT_GE(slow.fields->media.pictures, fast.fields->media.pictures) << body.substr(0, 80);
  } else {
    EXPECT_EQ(fast.fault, slow.fault) << body.substr(0, 80);
  }
  return fast;
}

BodyFault fault_of(const std::string& body, BodyRules rules = {}) {
  const BodyResult result = read(body, rules);
  EXPECT_FALSE(result.fields.has_value()) << body;
  EXPECT_FALSE(result.detail.empty());
  return result.fault;
}

TEST(BodyFields, ReadsTheFieldsWhereverTheyStand) {
  const BodyResult result = read(R"({"messages":[{"model":"inner","stream":false}],"stream":true,)"
                                 R"("max_tokens":7,"model":"a/b:c"})");
  ASSERT_TRUE(result.fields.has_value());
  EXPECT_EQ(result.fields->model, "a/b:c");
  EXPECT_TRUE(result.fields->stream);
  EXPECT_EQ(result.fields->max_tokens, 7);
}

TEST(BodyFields, TheLargestTokenLimitCountsAndANegativeOneIsNone) {
  EXPECT_EQ(read(R"({"model":"m","n_predict":5,"max_completion_tokens":9})").fields->max_tokens, 9);
  EXPECT_EQ(read(R"({"model":"m","n_predict":-1,"max_tokens":9})").fields->max_tokens,
            std::nullopt);
  EXPECT_EQ(read(R"({"model":"m","max_tokens":"9"})").fields->max_tokens, std::nullopt);
  EXPECT_EQ(read(R"({"model":"m","max_output_tokens":18446744073709551615})").fields->max_tokens,
            INT64_MAX);
}

TEST(BodyFields, CountsKeysAfterUnescaping) {
  EXPECT_EQ(read(R"({"mod\u0065l":"m"})").fields->model, "m");
  EXPECT_EQ(fault_of(R"({"model":"a","mod\u0065l":"b"})"), BodyFault::TwoModels);
  EXPECT_EQ(fault_of(R"({"model":"a","model":"a"})"), BodyFault::TwoModels);
}

TEST(BodyFields, MoreProbabilitiesThanMemoryHoldsAreAFault) {
  EXPECT_EQ(fault_of(R"({"model":"m","n_probs":262144})"), BodyFault::TooManyProbabilities);
  EXPECT_EQ(fault_of(R"({"model":"m","top_logprobs":101})"), BodyFault::TooManyProbabilities);
  EXPECT_EQ(fault_of(R"({"model":"m","logprobs":1e9})"), BodyFault::TooManyProbabilities);
  EXPECT_EQ(fault_of(R"({"model":"m","n_probs":18446744073709551615})"),
            BodyFault::TooManyProbabilities);
  EXPECT_EQ(fault_of(R"({"model":"m","n_probs":200,"seed":99999999999999999999999})"),
            BodyFault::TooManyProbabilities)
      << "the other reader sees it too";
  EXPECT_EQ(read(R"({"model":"m","n_probs":100,"logprobs":true,"top_logprobs":20})").fields->model,
            "m");
}

TEST(BodyFields, TokensLookedBackAtAreBounded) {
  for (const std::string field : {"repeat_last_n", "dry_penalty_last_n"}) {
    const std::string body = R"({"model":"m",")" + field + "\":";
    EXPECT_TRUE(read(body + "262144}").fields.has_value());
    EXPECT_TRUE(read(body + "-1}").fields.has_value());
    EXPECT_EQ(fault_of(body + "262145}"), BodyFault::WindowTooLarge);
    EXPECT_EQ(fault_of(body + "4e8}"), BodyFault::WindowTooLarge);
    EXPECT_EQ(read(body + "100000000}").field, field);
    EXPECT_EQ(read(body + "100000000,\"seed\":99999999999999999999999}").field, field);
  }
}

constexpr BodyRules kTasks{.model_required = true, .lists_are_tasks = true};

std::string repeated(std::string_view element, int times) {
  std::string list;
  for (int i = 0; i < times; ++i) {
    list += (i == 0 ? "" : ",") + std::string(element);
  }
  return list;
}

TEST(BodyFields, BoundsThePromptsOfOneRequest) {
  for (const char* element : {R"("")", "[]", "[1,2]", R"({"prompt_string":"a"})"}) {
    for (const char* key : {"prompt", "input", "content", "documents", "texts"}) {
      const auto body = [&](int count) {
        return R"({"model":"m",")" + std::string(key) + R"(":[)" + repeated(element, count) + "]}";
      };
      EXPECT_TRUE(read(body(2048), kTasks).fields.has_value()) << key << element;
      EXPECT_EQ(fault_of(body(2049), kTasks), BodyFault::TooManyPrompts) << key << element;
      EXPECT_TRUE(read(body(2049)).fields.has_value()) << "parts of one text";
    }
  }
}

TEST(BodyFields, AListWithANumberInItIsOnePrompt) {
  for (const std::string& list :
       {repeated("17", 5000), "1," + repeated(R"("a")", 5000), "[" + repeated("17", 5000) + "]"}) {
    EXPECT_TRUE(read(R"({"model":"m","prompt":[)" + list + "]}", kTasks).fields.has_value());
  }
}

// Stop words, grammars and the like are kept once for each prompt.
TEST(BodyFields, BoundsWhatIsRepeatedForEachPrompt) {
  const auto body = [](int prompts, const std::string& rest) {
    return R"({"model":"m",)" + rest + R"(,"prompt":[)" + repeated(R"("")", prompts) + "]}";
  };
  const std::string grammar = R"("grammar":")" + std::string(1'000'000, 'x') + '"';
  const std::string stops = R"("stop":[)" + repeated(R"("")", 20'000) + "]";
  const std::string biases = R"("logit_bias":{"a":[)" + repeated("1", 20'000) + "]}";
  for (const std::string& rest : {grammar, stops, biases}) {
    EXPECT_TRUE(read(body(1, rest), kTasks).fields.has_value());
    EXPECT_TRUE(read(body(50, rest), kTasks).fields.has_value());
    EXPECT_EQ(fault_of(body(200, rest), kTasks), BodyFault::TooMuchRepeated);
    EXPECT_TRUE(read(body(200, rest)).fields.has_value()) << "one text";
  }
  const std::string long_texts = repeated('"' + std::string(10'000, 'x') + '"', 2000);
  EXPECT_TRUE(read(R"({"model":"m","input":[)" + long_texts + "]}", kTasks).fields.has_value())
      << "the texts themselves are not repeated";
}

TEST(BodyFields, BoundsThePartsOfABody) {
  for (const char* element : {R"("")", "[]", "{}", R"({"a":1})", "[[]]"}) {
    const std::string body = R"({"model":"m","stop":[)" + repeated(element, 200'001) + "]}";
    EXPECT_EQ(fault_of(body), BodyFault::TooManyParts) << element;
  }
  const std::string many = R"({"model":"m","stop":[)" + repeated(R"("")", 199'990) + "]}";
  EXPECT_TRUE(read(many).fields.has_value());
  const std::string tokens = R"({"model":"m","prompt":[)" + repeated("17", 500'000) + "]}";
  EXPECT_TRUE(read(tokens).fields.has_value());
}

TEST(BodyFields, NamesEachFault) {
  EXPECT_EQ(fault_of(R"({"messages":[]})"), BodyFault::NoModel);
  EXPECT_EQ(fault_of(R"({"model":3})"), BodyFault::ModelNotString);
  EXPECT_EQ(fault_of(R"({"model":null})"), BodyFault::ModelNotString);
  EXPECT_EQ(fault_of(R"({"model":""})"), BodyFault::EmptyModel);
  EXPECT_EQ(fault_of(R"(["model"])"), BodyFault::NotObject);
  EXPECT_EQ(fault_of(R"("model")"), BodyFault::NotObject);
}

TEST(BodyFields, ChecksTheWholeDocument) {
  for (const char* body :
       {"", " ", "{", R"({"model":"m")", R"({"model":"m"}x)", R"({"model":"m",})",
        R"({"model":"m","a":01})", R"({"model":"m","a":tru})", R"({"model":"m"}{"model":"m"})",
        "\xEF\xBB\xBF{\"model\":\"m\"}", "{\"model\":\"m\xFF\"}", "{\"model\":\"m\n\"}",
        R"({"model":"m",/**/"a":1})", R"({"model":"m","a":1.})", R"({"model":"m","a":-})",
        R"({'model':'m'})", R"({"model":"\ud800"})"}) {
    EXPECT_EQ(fault_of(body), BodyFault::NotJson) << body;
  }
}

TEST(BodyFields, TakesNumbersOfAnySize) {
  const BodyResult result =
      read(R"({"seed":123456789012345678901234567890,"model":"m","stream":true,)"
           R"("x":[{"model":1}],"max_tokens":4})");
  ASSERT_TRUE(result.fields.has_value());
  EXPECT_EQ(result.fields->model, "m");
  EXPECT_TRUE(result.fields->stream);
  EXPECT_EQ(result.fields->max_tokens, 4);
  EXPECT_EQ(fault_of(R"({"seed":123456789012345678901234567890,"model":"m"} 1)"),
            BodyFault::NotJson);
}

TEST(BodyFields, BoundsTheNesting) {
  const auto nested = [](std::size_t depth) {
    return R"({"model":"m","a":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  EXPECT_TRUE(read(nested(500)).fields.has_value());
  EXPECT_EQ(fault_of(nested(600)), BodyFault::NotJson);
  EXPECT_EQ(fault_of(std::string(100'000, '[')), BodyFault::NotJson);
}

TEST(BodyFields, AModelMayBeMissingWhenADefaultServes) {
  const BodyResult result = read(R"({"stream":true})", {.model_required = false});
  ASSERT_TRUE(result.fields.has_value());
  EXPECT_EQ(result.fields->model, "");
  EXPECT_EQ(read(R"({"model":""})", {.model_required = false}).fault, BodyFault::EmptyModel);
}

TEST(BodyFields, TheDetailHoldsNothingOfTheBody) {
  EXPECT_EQ(read(R"({"model":"m", "secret-word })").detail.find("secret"), std::string::npos);
}

// A GIF of 2 by 3 pixels, as far as its size is told.
constexpr std::string_view kGif = "R0lGODlhAgADAA==";

MediaFacts media_of(const std::string& rest) {
  const BodyResult result = read(R"({"model":"m",)" + rest + "}");
  EXPECT_TRUE(result.fields.has_value()) << rest;
  return result.fields.value_or(BodyFields{}).media;
}

TEST(BodyFields, FindsPicturesWhereEachApiPutsThem) {
  const std::string gif(kGif);
  const std::string uri = "data:image/gif;base64," + gif;
  const std::string part = R"({"type":"image_url","image_url":{"url":")" + uri + R"("}})";
  const std::string block =
      R"({"type":"image","source":{"type":"base64","media_type":"image/gif","data":")" + gif +
      R"("}})";
  for (const std::string& rest : {
           R"("messages":[{"role":"user","content":[{"type":"text","text":"a"},)" + part + "]}]",
           R"("messages":[{"role":"user","content":[)" + block + "]}]",
           R"("messages":[{"content":[{"type":"tool_result","content":[)" + block + "]}]}]",
           R"("input":[{"role":"user","content":[{"image_url":")" + uri +
               R"(","type":"input_image"}]}])",
           R"("prompt":{"prompt_string":"<__media__>","multimodal_data":[")" + gif + R"("]})",
           R"("prompt":[[1,{"prompt_string":"a","multimodal_data":[")" + gif + R"("]}]])",
       }) {
    const MediaFacts media = media_of(rest);
    EXPECT_EQ(media.pictures, 1) << rest;
    EXPECT_EQ(media.pixels, 2U * 2 * 3) << rest;
    EXPECT_FALSE(media.remote || media.unreadable) << rest;
  }
}

TEST(BodyFields, NoticesAddressesOfPictures) {
  for (const std::string address : {"http://10.0.0.1/", "https://a.example/b.png", "httpx",
                                    "file:///etc/passwd", "ftp://a/b", "HTTP://a/"}) {
    EXPECT_TRUE(media_of(R"("messages":[{"content":[{"type":"image_url","image_url":{"url":")" +
                         address + R"("}}]}])")
                    .remote)
        << address;
    EXPECT_TRUE(media_of(R"("messages":[{"content":[{"type":"image","source":{"url":")" + address +
                         R"(","type":"url"}}]}])")
                    .remote)
        << address;
  }
  // A key that is repeated: the engine takes the last one, whoever checks often the first.
  EXPECT_TRUE(media_of(R"("messages":[{"content":[{"type":"image_url","image_url":{"url":")" +
                       std::string(kGif) + R"(","\u0075rl":"http://a/"}}]}])")
                  .remote);
}

TEST(BodyFields, AddressesThatAToolIsGivenAreNoPictures) {
  const std::string rest =
      R"("messages":[{"content":[{"type":"tool_use","input":{"url":"https://a.example/",)"
      R"("source":{"url":"https://b.example/"}}}]}],"tools":[{"image_url":{"type":"string"}}])";
  std::string body = R"({"model":"m",)" + rest + "}";
  const std::size_t size = body.size();
  body.resize(size + 64, '\0');
  const BodyResult result = read_body_fields(std::string_view(body).substr(0, size), {});
  ASSERT_TRUE(result.fields.has_value());
  EXPECT_FALSE(result.fields->media.remote);
  EXPECT_EQ(result.fields->media.pictures, 0);
}

TEST(BodyFields, ANumberOfAnySizeHidesNoAddress) {
  EXPECT_TRUE(media_of(R"("seed":123456789012345678901234567890,"messages":[{"content":[{"type":)"
                       R"("image_url","image_url":{"url":"http://a/"}}]}])")
                  .remote);
}

}  // namespace
}  // namespace hf::net
