#include "api/ollama_views.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <utility>
#include <variant>

#include "api/digest.h"
#include "api/json_values.h"
#include "ollama/timestamp.h"

namespace hf::api {
namespace {

namespace json = boost::json;
using engine::ModelKind;
using engine::ModelTraits;

// Of the API that is spoken here; clients refuse to work with older ones.
constexpr std::string_view kOllamaVersion = "0.12.6";
// Nothing goes at a set time here, and clients want one: what Ollama says for "keep for ever" lies
// in that century.
constexpr std::string_view kNoSetTime = "2300-01-01T00:00:00Z";
constexpr std::int64_t kNsPerSecond = 1'000'000'000;

json::object details_of(const ModelTraits& traits) {
  const bool known = traits.kind != ModelKind::Command;
  json::object details{{"parent_model", ""}, {"format", known ? "gguf" : ""}};
  details["family"] = traits.architecture;
  details["families"] = known ? json::array{json::value(traits.architecture)} : json::array();
  details["parameter_size"] = known ? ollama_parameter_size(traits.weights) : "";
  details["quantization_level"] = traits.quantisation;
  return details;
}

json::object entry_of(const OllamaModel& model) {
  json::object entry{{"name", model.name}, {"model", model.name}};
  entry["size"] = model.traits.file_size.count;
  entry["digest"] = sha256_hex("holdfast " + model.traits.file_key);
  entry["details"] = details_of(model.traits);
  return entry;
}

Bytes total(const core::Footprint& footprint, std::size_t first_domain) {
  Bytes sum;
  for (std::size_t domain = first_domain; domain < core::kDomains; ++domain) {
    sum += footprint.in[domain];
  }
  return sum;
}

std::string leaves_at(const OllamaModel& model, std::int64_t unix_ns) {
  if (!model.traits.ttl || model.view.pinned) {
    return std::string(kNoSetTime);
  }
  return ollama::rfc3339(unix_ns + (*model.traits.ttl - model.view.idle).count());
}

json::value scalar_value(const gguf::Scalar& scalar) {
  return std::visit(
      [](const auto& value) -> json::value {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, double>) {
          return std::isfinite(value) ? json::value(value) : json::value(nullptr);
        } else {
          return json::value(value);
        }
      },
      scalar);
}

json::value to_json(const gguf::Value& value) {
  return std::visit(
      [](const auto& held) -> json::value {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, gguf::List>) {
          json::array list;
          for (const gguf::Scalar& element : held.elements) {
            list.push_back(scalar_value(element));
          }
          return list;
        } else {
          return scalar_value(gguf::Scalar(held));
        }
      },
      value);
}

json::object info_of(const gguf::Description& description) {
  json::object info;
  for (const auto& [key, value] : description.values) {
    info[key] = to_json(value);
  }
  return info;
}

// What a client may send counts, not what the model was trained with: clients cut conversations by
// this number.
json::object model_info(const OllamaShow& show, const gguf::Description& description) {
  json::object info = info_of(description);
  if (show.traits.kind != ModelKind::Command) {
    info["general.parameter_count"] = show.traits.weights;
  }
  if (show.for_copilot) {
    info["general.basename"] = show.name;
  }
  if (show.traits.context > 0) {
    info[show.traits.architecture + ".context_length"] = show.traits.context;
    info["holdfast.trained_context_length"] = show.traits.trained_context;
  }
  return info;
}

// Continue, an IDE's extension, asks a model to fill in only if Ollama's variable for it stands in
// its template. In a comment it changes nothing.
std::string shown_template(const gguf::Description& description) {
  constexpr std::string_view kFillsIn = "{# fills in between {{ .Prompt }} and {{ .Suffix }} #}";
  return description.fills_in ? std::string(kFillsIn) + description.chat_template
                              : description.chat_template;
}

json::array tensors_of(const gguf::Description& description) {
  json::array list;
  for (const gguf::TensorDescription& tensor : description.tensors) {
    json::object entry{{"name", tensor.name}, {"type", tensor.type}};
    entry["shape"] = json::array(tensor.extents.begin(), tensor.extents.end());
    list.push_back(std::move(entry));
  }
  return list;
}

bool mentions(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [text](std::string_view word) {
    return text.find(word) != std::string_view::npos;
  });
}

}  // namespace

std::string ollama_tags_json(const std::vector<OllamaModel>& models) {
  json::array list;
  for (const OllamaModel& model : models) {
    json::object entry = entry_of(model);
    entry["modified_at"] = ollama::rfc3339(model.traits.modified_unix_s * kNsPerSecond);
    list.push_back(std::move(entry));
  }
  return json::serialize(json::object{{"models", std::move(list)}});
}

std::string ollama_processes_json(const std::vector<OllamaModel>& models, std::int64_t unix_ns) {
  using core::State;
  json::array list;
  for (const OllamaModel& model : models) {
    const State state = model.view.state;
    if (state != State::Loading && state != State::Ready && state != State::Gated) {
      continue;
    }
    json::object entry = entry_of(model);
    entry["size"] = total(model.view.reserved, 0).count;
    entry["size_vram"] = total(model.view.reserved, core::kHostRam + 1).count;
    entry["context_length"] = model.traits.context;
    entry["expires_at"] = leaves_at(model, unix_ns);
    list.push_back(std::move(entry));
  }
  return json::serialize(json::object{{"models", std::move(list)}});
}

std::string ollama_version_json() {
  return json::serialize(json::object{{"version", kOllamaVersion}, {"holdfast", HOLDFAST_VERSION}});
}

std::string ollama_show_json(const OllamaShow& show, const engine::FileDescription& description) {
  const gguf::Description& model = description.model;
  const std::string parameters =
      show.traits.context > 0 ? fmt::format("{:<30} {}", "num_ctx", show.traits.context) : "";
  const std::string text = shown_template(model);
  json::object object;
  object["modelfile"] = "# Modelfile generated by Holdfast\nFROM " + show.name +
                        "\nTEMPLATE \"\"\"" + text + "\"\"\"\n" +
                        (parameters.empty() ? "" : "PARAMETER " + parameters + "\n");
  object["parameters"] = parameters;
  object["template"] = text;
  object["details"] = details_of(show.traits);
  object["model_info"] = model_info(show, model);
  if (description.projector) {
    object["projector_info"] = info_of(*description.projector);
  }
  if (!model.tensors.empty()) {
    object["tensors"] = tensors_of(model);
  }
  object["capabilities"] = names_array(ollama_capabilities(show.traits, model));
  object["modified_at"] = ollama::rfc3339(show.traits.modified_unix_s * kNsPerSecond);
  return json::serialize(object);
}

std::vector<std::string> ollama_capabilities(const ModelTraits& traits,
                                             const gguf::Description& description) {
  if (traits.kind == ModelKind::Embedding) {
    return {"embedding"};
  }
  if (traits.kind == ModelKind::Reranker) {
    return {};
  }
  const std::string_view text = description.chat_template;
  std::vector<std::string> capabilities{"completion"};
  if (mentions(text, {"tools", "tool_calls"})) {
    capabilities.emplace_back("tools");
  }
  if (description.fills_in) {
    capabilities.emplace_back("insert");
  }
  if (traits.takes_images) {
    capabilities.emplace_back("vision");
  }
  if (mentions(text, {"enable_thinking", "<think>", "reasoning_content", "reasoning_effort"})) {
    capabilities.emplace_back("thinking");
  }
  return capabilities;
}

std::string ollama_parameter_size(std::uint64_t weights) {
  constexpr double kBillion = 1e9;
  constexpr double kMillion = 1e6;
  const auto count = static_cast<double>(weights);
  if (count >= kBillion) {
    return fmt::format("{:.1f}B", count / kBillion);
  }
  return count >= kMillion ? fmt::format("{:.2f}M", count / kMillion)
                           : fmt::format("{:.0f}K", count / 1000);
}

}  // namespace hf::api
