#pragma once
// A request to Ollama's API as the engine's own: which path, which body, and what must be known to
// translate the answer back. Why translated and not emulated: the engine's chat API has all that is
// in Ollama's, in other words, so that the same request gives the same text, token for token.
// Nothing is sent that the client did not ask for. Pure, any thread.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ollama/answer_plan.h"
#include "ollama/fault.h"

namespace hf::ollama {

// What of a model decides how a request is told to it.
struct ModelFacts {
  std::string name;                  // as the engine calls it
  std::int64_t context = 0;          // tokens that one request may use; 0: not known
  bool has_chat_template = true;     // else /api/generate sends its prompt as it is
  std::int64_t embedding_input = 0;  // tokens of one text that it can embed; 0: not known
};

enum class Work {
  Answer,
  Load,    // an empty prompt: the model shall be loaded, nothing is generated
  Unload,  // the same with keep_alive 0: it may go
};

struct Request {
  Work work = Work::Answer;
  bool zero_keep_alive = false;  // the model may go after the answer
  AnswerPlan plan;
  // Of an answer only:
  std::string target;            // the engine's path
  std::string body;              // what it gets
  bool lists_are_tasks = false;  // of that body, see net::BodyRules
  bool truncate = false;         // embeddings: texts that are too long may be cut
  // Embeddings: the first text that is empty. Some models have a vector for it, others refuse it;
  // only the engine knows.
  std::optional<std::size_t> empty_text{};
};

// `body` is valid JSON whose `model` was looked at already; `asked`: the model as the client calls
// it, for the answer.
Checked<Request> read_request(Endpoint endpoint, std::string_view body, std::string_view asked,
                              const ModelFacts& facts);

}  // namespace hf::ollama
