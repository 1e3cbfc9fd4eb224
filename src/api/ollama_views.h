#pragma once
// Models as Ollama's clients want to see them: what there is, what is loaded, what one is. Pure,
// any thread (a description is rendered on the worker).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "engine/model_traits.h"

namespace hf::api {

// A model with what is known of it, for the lists.
struct OllamaModel {
  std::string name;
  engine::ModelTraits traits;
  core::ModelView view;
};

// {"models": […]}. A digest names a state of a model's files: SHA-256 over their identities, since
// reading gigabytes for one is no option.
std::string ollama_tags_json(const std::vector<OllamaModel>& models);
// Those that are loaded. `unix_ns`: now.
std::string ollama_processes_json(const std::vector<OllamaModel>& models, std::int64_t unix_ns);
// The version of Ollama whose API this is, for clients that ask for a least one, and our own.
std::string ollama_version_json();

struct OllamaShow {
  std::string name;
  engine::ModelTraits traits;
  bool for_copilot = false;  // it shows general.basename, which is not the name people know
};
std::string ollama_show_json(const OllamaShow& show, const engine::FileDescription& description);

// "completion", "tools", "insert", "vision", "embedding", "thinking".
std::vector<std::string> ollama_capabilities(const engine::ModelTraits& traits,
                                             const gguf::Description& description);

// "268.1M", "7.6B".
std::string ollama_parameter_size(std::uint64_t weights);

}  // namespace hf::api
