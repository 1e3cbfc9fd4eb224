#pragma once
// The engine's answer as Ollama's: a stream of events becomes lines of JSON, one object stays one.
// Counts and times come from the engine, waiting and loading from us.

#include <memory>

#include "net/translator.h"
#include "ollama/answer_writer.h"

namespace hf::ollama {

// For one attempt at one answer.
std::shared_ptr<net::Translator> translate_answer(const AnswerPlan& plan, Begun begun,
                                                  const Clock& clock);

}  // namespace hf::ollama
