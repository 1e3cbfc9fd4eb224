#pragma once
// What the translation of an answer must know of its request. A plain value.

#include <optional>
#include <string>

namespace hf::ollama {

enum class Endpoint { Chat, Generate, Embed, Embeddings };

// Whose answer it is that comes from the engine.
enum class Source {
  Chat,    // /v1/chat/completions
  Text,    // /v1/completions
  Infill,  // /infill
  Vectors  // /v1/embeddings
};

struct AnswerPlan {
  Endpoint endpoint = Endpoint::Chat;
  Source source = Source::Chat;
  std::string model;       // as the client called it
  bool streams = true;     // lines as they come, else one object
  bool heartbeats = true;  // an empty line for a sign of life of the engine
  bool logprobs = false;
  int top_logprobs = 0;
  std::optional<int> dimensions{};  // cut vectors to so many
  std::string warning{};            // goes with the last object; "": none
};

}  // namespace hf::ollama
