#pragma once
// The engine's embeddings as Ollama's. Read number by number, as they come: a batch of two thousand
// texts is a hundred megabytes of digits, which no loop may hold at once or read in one go. The
// digits are passed on as they are.

#include <memory>

#include "net/translator.h"
#include "ollama/answer_writer.h"

namespace hf::ollama {

// Requires: plan.source is Vectors.
std::shared_ptr<net::Translator> translate_vectors(const AnswerPlan& plan, Begun begun,
                                                   const Clock& clock);

}  // namespace hf::ollama
