#include "net/schema_weight.h"

#include <gtest/gtest.h>

#include <string>

#include "net/json_fields.h"
#include "net/json_model.h"

namespace hf::net {
namespace {

// Of a body with that field, whichever way it is read.
bool taken_as(const std::string& key, const std::string& value) {
  std::string body = R"({"model":"m",")" + key + "\":" + value + "}";
  const std::size_t size = body.size();
  body.resize(size + 64, '\0');
  const std::string_view text = std::string_view(body).substr(0, size);
  const BodyResult fast = read_body_fields(text, {});
  const BodyResult slow = read_body_fields_by_events(text, {});
  EXPECT_EQ(fast.fields.has_value(), slow.fields.has_value()) << value.substr(0, 80);
  if (!fast.fields) {
    EXPECT_EQ(fast.fault, BodyFault::SchemaTooLarge) << value.substr(0, 80);
    EXPECT_EQ(slow.fault, BodyFault::SchemaTooLarge) << value.substr(0, 80);
  }
  return fast.fields.has_value();
}

bool taken(const std::string& schema) {
  return taken_as("format", schema);
}

// {"type":"object","properties":{"p0":…,"p1":…}}
std::string object_of(int properties, const std::string& value = R"({"type":"null"})") {
  std::string text = R"({"type":"object","properties":{)";
  for (int i = 0; i < properties; ++i) {
    text += (i == 0 ? "\"p" : ",\"p") + std::to_string(i) + "\":" + value;
  }
  return text + "}}";
}

std::string list_of(int times, const std::string& element) {
  std::string text = "[";
  for (int i = 0; i < times; ++i) {
    text += (i == 0 ? "" : ",") + element;
  }
  return text + "]";
}

TEST(SchemaWeight, TakesHonestSchemas) {
  EXPECT_TRUE(taken(object_of(500)));
  EXPECT_TRUE(taken(object_of(20, object_of(20, object_of(20)))));
  EXPECT_TRUE(taken(R"({"enum":)" + list_of(2000, R"("a")") + "}"));
  EXPECT_TRUE(taken(object_of(50, R"({"type":["string","null"],"minLength":1,"maxLength":500})")));
  EXPECT_TRUE(taken(object_of(50, R"({"pattern":"^[a-zA-Z0-9_-]{1,64}$"})")));
  EXPECT_TRUE(taken(R"({"type":"array","maxItems":1000000000,"items":{"type":"string"}})"));
  EXPECT_TRUE(taken(R"({"$defs":{"node":{"properties":{"next":{"$ref":"#/$defs/node"}}}},
                        "$ref":"#/$defs/node"})"));
  EXPECT_TRUE(
      taken(R"({"definitions":{"a":)" + object_of(20) + R"(},"properties":{"x":)" +
            R"({"allOf":[{"$ref":"#/definitions/a"}],"description":"as pydantic has it"}}})"));
  EXPECT_TRUE(taken(R"({"$defs":{"base":{"properties":{"a":{}}},
      "node":{"allOf":[{"$ref":"#/$defs/base"},
                       {"properties":{"next":{"type":"array","items":{"$ref":"#/$defs/node"}}}}]}},
      "$ref":"#/$defs/node"})"));
}

std::string with_defs(const std::string& definitions, const std::string& properties) {
  return R"({"type":"object","$defs":{)" + definitions + R"(},"properties":{)" + properties + "}}";
}

std::string fields(int count, const std::string& value) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += (i == 0 ? "\"f" : ",\"f") + std::to_string(i) + "\":" + value;
  }
  return text;
}

// As OpenAPI, Zod and Pydantic make them.
TEST(SchemaWeight, TakesTheSchemasOfGenerators) {
  EXPECT_TRUE(taken(object_of(200, R"({"type":"string","maxLength":65535})")));
  EXPECT_TRUE(taken(object_of(200, R"({"type":"string","maxLength":255})")));
  EXPECT_TRUE(taken(R"({"type":"object","properties":{)" + fields(160, R"({"type":"string"})") +
                    R"(,"x":{"$ref":"#/properties/f0"},"y":{"$ref":"#/properties/f0"},)" +
                    R"("z":{"$ref":"#/properties/f1"}}})"));
  const std::string as_pydantic = R"({"allOf":[{"$ref":"#/$defs/E"}],"default":"a"})";
  EXPECT_TRUE(taken(with_defs(R"("E":{"enum":["a","b"]})", fields(200, as_pydantic))));
  EXPECT_TRUE(taken(with_defs(R"("E":{"properties":{"a":{}}})", fields(130, as_pydantic))));
}

std::string tool_of(const std::string& parameters) {
  return R"({"type":"function","function":{"name":"f","parameters":)" + parameters + "}}";
}

TEST(SchemaWeight, TakesPatternsWithBracesOfTheirOwn) {
  EXPECT_TRUE(taken(R"({"pattern":"^\\{[0-9a-f]{8}-[0-9a-f]{4}\\}$"})"));
  EXPECT_TRUE(taken(R"({"grammar":"root ::= \"{\" [0-9]{1,3} \"}\""})"));
  EXPECT_TRUE(taken(R"({"pattern":"^\\$\\{[A-Z_]{1,64}\\}$"})"));
  EXPECT_TRUE(taken(object_of(100, R"({"type":"integer","minimum":0,"maximum":1000000})")));
  EXPECT_TRUE(taken(R"({"properties":{"definitions":{"type":"array","items":)"
                    R"({"$ref":"#/properties/definition"}},"definition":{}}})"));
  EXPECT_TRUE(taken(R"({"components":{"schemas":{"P":{"properties":{"a":{}}}}},)"
                    R"("properties":{"b":{"allOf":[{"$ref":"#/components/schemas/P"}]}}})"));
}

TEST(SchemaWeight, ToolsAreSchemasOfTheirOwn) {
  const std::string odd = R"({"type":"object","properties":{)" +
                          fields(20, R"({"type":"string","maxLength":255})") +
                          R"(,"a":{"$ref":"#/properties/f0"},"b":{"$ref":"#/properties/f1"}}})";
  EXPECT_TRUE(taken_as("tools", list_of(20, tool_of(odd))));
  const std::string one = with_defs(R"("A":{"allOf":[{"$ref":"#/$defs/B"}]},"B":{})", "");
  const std::string two = with_defs(R"("B":{"allOf":[{"$ref":"#/$defs/A"}]},"A":{})", "");
  EXPECT_TRUE(taken_as("tools", "[" + tool_of(one) + "," + tool_of(two) + "]"));
  EXPECT_FALSE(taken_as("tools", "[" + tool_of(object_of(700)) + "]"));
  EXPECT_FALSE(taken_as("tools", list_of(20, tool_of(object_of(300)))));
}

TEST(SchemaWeight, OnlyTheBodysOwnListsAreTools) {
  std::string places = "[";
  for (int i = 1; i < 40; ++i) {
    places += R"({"$ref":"#/tools/)" + std::string(i, '0') + "\"},";
  }
  EXPECT_FALSE(taken(R"({"tools":[)" + object_of(250) + R"(],"prefixItems":)" + places + "{}]}"));
}

// Would take minutes if each were looked at from each.
TEST(SchemaWeight, BracesAreReadOnce) {
  const std::string open(512 * 1024, '{');
  EXPECT_TRUE(taken(R"({"pattern":")" + open + "\"}"));
  EXPECT_TRUE(taken(R"({"pattern":")" + open + std::string(512 * 1024, '}') + "\"}"));
}

TEST(SchemaWeight, RefusesObjectsWithTooManyProperties) {
  EXPECT_FALSE(taken(object_of(1000)));
  EXPECT_FALSE(taken(R"({"type":"array","items":)" + object_of(1000) + "}"));
  EXPECT_FALSE(taken(list_of(20, object_of(300)))) << "all together";
  EXPECT_FALSE(taken(R"({"properties":{"$defs":)" + object_of(1000) + "}}"));
}

TEST(SchemaWeight, RefusesTooManyChoicesAndRepetitions) {
  EXPECT_FALSE(taken(R"({"enum":)" + list_of(20'000, R"("a")") + "}"));
  EXPECT_FALSE(taken(R"({"oneOf":)" + list_of(20'000, "{}") + "}"));
  EXPECT_FALSE(taken(list_of(1000, R"({"type":"string","maxLength":1999})")));
  EXPECT_FALSE(taken(list_of(1000, R"({"type":"array","minItems":1e3})")));
  std::string pattern = "^";
  for (int i = 0; i < 1000; ++i) {
    pattern += "a{1,1999}";
  }
  EXPECT_FALSE(taken(R"({"pattern":")" + pattern + R"($"})"));
  EXPECT_FALSE(taken(R"({"grammar":")" + pattern + R"("})"));
  std::string hidden;
  for (int i = 0; i < 30; ++i) {
    hidden += R"(\\{[)" + std::string(3000, 'a') + "]{1,1900}";
  }
  EXPECT_FALSE(taken(R"({"pattern":")" + hidden + R"("})"));
  std::string alternatives = "root ::= a";
  for (int i = 0; i < 8000; ++i) {
    alternatives += " | a";
  }
  EXPECT_FALSE(taken(R"({"grammar":")" + alternatives + R"("})"));
  EXPECT_FALSE(taken(R"({"grammar":"root ::= )" + std::string(20'000, '(') + R"("})"));
  EXPECT_FALSE(taken(R"({"prefixItems":)" +
                     list_of(2000, R"({"type":"integer","maximum":999999999999999999})") + "}"));
}

TEST(SchemaWeight, RefusesWhatMultiplies) {
  const std::string refs = list_of(100, R"({"$ref":"#/$defs/a"})");
  EXPECT_FALSE(
      taken(R"({"$defs":{"a":)" + object_of(10) + R"(},"allOf":[{"anyOf":)" + refs + "}]}"));
  EXPECT_FALSE(taken(R"({"allOf":)" + list_of(1000, R"({"properties":{"a":{}}})") + "}"));
  std::string places = "[";
  for (int i = 0; i < 9; ++i) {
    places += R"({"$ref":"#/a/properties/p)" + std::to_string(i) + "\"},";
  }
  EXPECT_FALSE(taken(R"({"a":)" + object_of(400) + R"(,"b":)" + places + "{}]}"));
  for (const char* types :
       {R"("object","object")", R"("object",null)", R"(["object"])", "{}", "1"}) {
    EXPECT_FALSE(taken(R"({"type":[)" + std::string(types) + "]}")) << types;
  }
  EXPECT_FALSE(taken(R"({"type":)" + list_of(65, R"("null")") + "}"));
  std::string chain;
  for (int i = 0; i < 40; ++i) {
    const std::string next = R"({"allOf":[{"$ref":"#/$defs/d)" + std::to_string(i + 1) + R"("}]})";
    chain += "\"d" + std::to_string(i) + "\":" + object_of(2, next) + ",";
  }
  EXPECT_FALSE(taken(R"({"$defs":{)" + chain + R"("d40":{}},"$ref":"#/$defs/d0"})"));
}

TEST(SchemaWeight, ConversationsMaySpeakOfSchemas) {
  const std::string schema = R"({"allOf":[{"$ref":"#/components/a"},)" + object_of(1000) + "]}";
  const auto read_as = [&schema](const std::string& key) {
    return taken_as(key, R"([{"content":[{"input":)" + schema + "}]}]");
  };
  EXPECT_TRUE(read_as("messages"));
  EXPECT_TRUE(read_as("input"));
  EXPECT_FALSE(read_as("tools"));
}

// These end the engine.
TEST(SchemaWeight, RefusesDefinitionsThatArePartsOfThemselves) {
  EXPECT_FALSE(taken(R"({"$defs":{"a":{"properties":{"x":{"allOf":[{"$ref":"#/$defs/a"}]}}}},
                         "$ref":"#/$defs/a"})"));
  EXPECT_FALSE(taken(R"({"$defs":{"a":{"$ref":"#/$defs/a"}},"allOf":[{"$ref":"#/$defs/a"}]})"));
  EXPECT_FALSE(taken(R"({"x":{"properties":{"y":{"allOf":[{"$ref":"#/x"}]}}}})"));
}

TEST(SchemaWeight, LongNamesCostWhereTheyAreRepeated) {
  const std::string name(100'000, 'a');
  EXPECT_TRUE(taken(R"({"properties":{")" + name + R"(":{"type":"null"}}})"));
  EXPECT_FALSE(taken(R"({"properties":{")" + name + R"(":)" + object_of(300) + "}}"));
}

}  // namespace
}  // namespace hf::net
