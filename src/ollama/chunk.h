#pragma once
// What one object of the engine says, whole answer or piece of a stream, whichever of its APIs it
// comes from. Pure, any thread.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "ollama/answer_plan.h"

namespace hf::ollama {

// Counts and times of an answer, as far as they were told; later ones replace earlier ones.
struct Measured {
  std::optional<std::int64_t> prompt_tokens{};
  std::optional<std::int64_t> answer_tokens{};
  std::optional<double> prompt_ms{};
  std::optional<double> answer_ms{};

  void take(const Measured& later);
};

struct Chunk {
  std::string content{};
  std::string thinking{};
  boost::json::array tool_calls{};  // OpenAI's, whole or in pieces
  boost::json::array logprobs{};    // Ollama's
  std::string finish{};             // "stop", "length", …; "": it goes on
  Measured measured{};
  bool is_error = false;  // the engine gave up
};

Chunk read_chunk(const boost::json::object& object, const AnswerPlan& plan);

}  // namespace hf::ollama
