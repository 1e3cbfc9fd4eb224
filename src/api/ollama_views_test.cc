#include "api/ollama_views.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace hf::api {
namespace {

namespace json = boost::json;
using engine::ModelKind;

OllamaModel model(core::State state = core::State::Absent) {
  OllamaModel model;
  model.name = "team/m";
  model.traits.architecture = "gemma3";
  model.traits.weights = 268'098'176;
  model.traits.quantisation = "Q4_K_M";
  model.traits.context = 8192;
  model.traits.trained_context = 32768;
  model.traits.file_key = "1:2:3:4";
  model.traits.file_size = Bytes(1000);
  model.traits.modified_unix_s = 86'400;
  model.view.state = state;
  model.view.reserved.in[0] = Bytes(700);
  model.view.reserved.in[1] = Bytes(300);
  return model;
}

const char* const kDetails = R"({"parent_model":"","format":"gguf","family":"gemma3",
    "families":["gemma3"],"parameter_size":"268.10M","quantization_level":"Q4_K_M"})";

TEST(OllamaTags, HaveWhatClientsExpect) {
  const json::value tags = json::parse(ollama_tags_json({model()}));
  const json::object& entry = tags.at("models").at(0).as_object();
  EXPECT_EQ(entry.at("name").as_string(), "team/m");
  EXPECT_EQ(entry.at("model").as_string(), "team/m");
  EXPECT_EQ(entry.at("modified_at").as_string(), "1970-01-02T00:00:00.000000000Z");
  EXPECT_EQ(entry.at("size").as_int64(), 1000);
  EXPECT_EQ(entry.at("details"), json::parse(kDetails));
  EXPECT_EQ(ollama_tags_json({}), R"({"models":[]})");
}

TEST(OllamaTags, ADigestNamesTheStateOfTheFiles) {
  const auto digest = [](const OllamaModel& model) {
    return json::parse(ollama_tags_json({model})).at("models").at(0).at("digest");
  };
  OllamaModel other = model();
  EXPECT_EQ(digest(model()).as_string().size(), 64U);
  EXPECT_EQ(digest(model()), digest(other));
  other.traits.file_key = "1:2:3:5";
  EXPECT_NE(digest(model()), digest(other));
}

TEST(OllamaProcesses, AreTheLoadedOnes) {
  const json::value list = json::parse(ollama_processes_json(
      {model(core::State::Absent), model(core::State::Ready), model(core::State::Stopping)}, 0));
  ASSERT_EQ(list.at("models").as_array().size(), 1U);
  const json::object& entry = list.at("models").at(0).as_object();
  EXPECT_EQ(entry.at("size").as_int64(), 1000);
  EXPECT_EQ(entry.at("size_vram").as_int64(), 300);
  EXPECT_EQ(entry.at("context_length").as_int64(), 8192);
  EXPECT_EQ(entry.at("expires_at").as_string(), "2300-01-01T00:00:00Z");
}

TEST(OllamaProcesses, LeaveAtASetTimeOnlyByATtl) {
  OllamaModel timed = model(core::State::Ready);
  timed.traits.ttl = std::chrono::seconds(100);
  timed.view.idle = std::chrono::seconds(40);
  const auto expires = [](const OllamaModel& model) {
    return json::parse(ollama_processes_json({model}, 0)).at("models").at(0).at("expires_at");
  };
  EXPECT_EQ(expires(timed).as_string(), "1970-01-01T00:01:00.000000000Z");
  timed.view.pinned = true;
  EXPECT_EQ(expires(timed).as_string(), "2300-01-01T00:00:00Z");
}

engine::FileDescription description() {
  engine::FileDescription found;
  found.model.values = {{"general.architecture", std::string("gemma3")},
                        {"general.basename", std::string("base")},
                        {"gemma3.context_length", std::int64_t{32768}},
                        {"gemma3.scale", 0.5},
                        {"tokenizer.ggml.tokens", gguf::List{262144, {}}},
                        {"general.tags", gguf::List{1, {std::string("chat")}}}};
  found.model.chat_template = "{% for message in messages %}";
  return found;
}

TEST(OllamaShowView, TellsWhatAModelIs) {
  const json::value shown =
      json::parse(ollama_show_json({"team/m", model().traits, false}, description()));
  EXPECT_EQ(shown.at("details"), json::parse(kDetails));
  EXPECT_EQ(shown.at("template").as_string(), "{% for message in messages %}");
  EXPECT_EQ(shown.at("parameters").as_string(), "num_ctx                        8192");
  EXPECT_EQ(shown.at("capabilities"), json::parse(R"(["completion"])"));
  EXPECT_EQ(shown.at("modified_at").as_string(), "1970-01-02T00:00:00.000000000Z");
  EXPECT_EQ(shown.at("model_info"),
            json::parse(R"({"general.architecture":"gemma3","general.basename":"base",
              "gemma3.context_length":8192,"gemma3.scale":0.5,"tokenizer.ggml.tokens":[],
              "general.tags":["chat"],"general.parameter_count":268098176,
              "holdfast.trained_context_length":32768})"));
  EXPECT_NE(shown.at("modelfile").as_string().find("FROM team/m\nTEMPLATE"),
            json::string_view::npos);
  EXPECT_FALSE(shown.as_object().contains("tensors"));
  EXPECT_FALSE(shown.as_object().contains("projector_info"));
}

TEST(OllamaShowView, ProjectorAndTensorsIfThereAreAny) {
  engine::FileDescription found = description();
  found.projector.emplace();
  found.projector->values = {{"clip.vision.image_size", std::int64_t{896}}};
  found.model.tensors = {{"output.weight", "q4_k", {64, 3}}};
  const json::value shown = json::parse(ollama_show_json({"m", model().traits, true}, found));
  EXPECT_EQ(shown.at("projector_info"), json::parse(R"({"clip.vision.image_size":896})"));
  EXPECT_EQ(shown.at("tensors"),
            json::parse(R"([{"name":"output.weight","type":"q4_k","shape":[64,3]}])"));
  EXPECT_EQ(shown.at("model_info").at("general.basename").as_string(), "m");
}

TEST(OllamaShowView, AFileThatFillsInHasTheVariableThatClientsLookFor) {
  engine::FileDescription found = description();
  found.model.fills_in = true;
  const json::value shown = json::parse(ollama_show_json({"m", model().traits, false}, found));
  EXPECT_NE(shown.at("template").as_string().find(".Suffix"), json::string_view::npos);
  EXPECT_TRUE(shown.at("template").as_string().starts_with("{#"));
}

TEST(OllamaShowView, OfACommandSaysOnlyWhatIsKnown) {
  engine::ModelTraits traits;
  traits.kind = ModelKind::Command;
  const json::value shown = json::parse(ollama_show_json({"vllm", traits, false}, {}));
  EXPECT_EQ(shown.at("model_info"), json::value(json::object()));
  EXPECT_EQ(shown.at("details"), json::parse(R"({"parent_model":"","format":"","family":"",
      "families":[],"parameter_size":"","quantization_level":""})"));
  EXPECT_EQ(shown.at("capabilities"), json::parse(R"(["completion"])"));
}

TEST(OllamaCapabilities, ComeFromTheFileAndItsTemplate) {
  engine::ModelTraits traits;
  gguf::Description file;
  using Names = std::vector<std::string>;
  EXPECT_EQ(ollama_capabilities(traits, file), (Names{"completion"}));
  file.chat_template = "{% if tools %}{% if enable_thinking %}<think>";
  file.fills_in = true;
  traits.takes_images = true;
  EXPECT_EQ(ollama_capabilities(traits, file),
            (Names{"completion", "tools", "insert", "vision", "thinking"}));
  traits.kind = ModelKind::Embedding;
  EXPECT_EQ(ollama_capabilities(traits, file), (Names{"embedding"}));
  traits.kind = ModelKind::Reranker;
  EXPECT_EQ(ollama_capabilities(traits, file), Names{});
}

TEST(OllamaVersion, IsOneThatClientsAccept) {
  const json::value version = json::parse(ollama_version_json());
  EXPECT_EQ(version.at("version").as_string(), "0.12.6");
  EXPECT_FALSE(version.at("holdfast").as_string().empty());
}

TEST(OllamaSizes, OfParameters) {
  EXPECT_EQ(ollama_parameter_size(7'615'616'512), "7.6B");
  EXPECT_EQ(ollama_parameter_size(268'098'176), "268.10M");
  EXPECT_EQ(ollama_parameter_size(68'300), "68K");
}

}  // namespace
}  // namespace hf::api
