#pragma once
// The engine's answer as Ollama's: a stream of events becomes lines of JSON, one object stays one.
// Counts and times come from the engine, waiting and loading from us.

#include <functional>
#include <memory>
#include <string_view>

#include "net/translator.h"
#include "ollama/answer_writer.h"

namespace hf::ollama {

// The engine gave up amidst its answer: the object with its error.
using OnEngineError = std::function<void(std::string_view)>;

// For one attempt at one answer.
std::shared_ptr<net::Translator> translate_answer(const AnswerPlan& plan, Begun begun,
                                                  const Clock& clock, OnEngineError on_error);

}  // namespace hf::ollama
