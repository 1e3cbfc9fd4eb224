#include "ollama/chunk.h"

#include <utility>

#include "ollama/json.h"

namespace hf::ollama {
namespace {

namespace json = boost::json;

std::optional<std::int64_t> count_at(const json::object& object, std::string_view key) {
  const json::value* found = member(object, key);
  const std::int64_t* count = found != nullptr ? found->if_int64() : nullptr;
  return count != nullptr && *count >= 0 ? std::optional(*count) : std::nullopt;
}

std::optional<double> number_at(const json::object& object, std::string_view key) {
  const json::value* found = member(object, key);
  return found != nullptr && found->is_number() ? std::optional(found->to_number<double>())
                                                : std::nullopt;
}

// {token, logprob, bytes}
json::object token_of(const json::object& engine) {
  json::object token;
  for (const char* key : {"token", "logprob", "bytes"}) {
    if (const json::value* value = member(engine, key)) {
      token[key] = *value;
    }
  }
  return token;
}

json::array logprobs_of(const json::array& tokens, int top) {
  json::array result;
  for (const json::value& value : tokens) {
    const json::object* engine = value.if_object();
    if (engine == nullptr) {
      continue;
    }
    json::object token = token_of(*engine);
    const json::array* others = array_at(*engine, "top_logprobs");
    if (top > 0 && others != nullptr) {
      json::array list;
      for (const json::value& other : *others) {
        if (const json::object* each = other.if_object()) {
          list.push_back(token_of(*each));
        }
      }
      token["top_logprobs"] = std::move(list);
    }
    result.push_back(std::move(token));
  }
  return result;
}

Measured measured_of(const json::object& object) {
  Measured measured;
  if (const json::object* usage = object_at(object, "usage")) {
    measured.prompt_tokens = count_at(*usage, "prompt_tokens");
    measured.answer_tokens = count_at(*usage, "completion_tokens");
  }
  if (const json::object* timings = object_at(object, "timings")) {
    measured.prompt_ms = number_at(*timings, "prompt_ms");
    measured.answer_ms = number_at(*timings, "predicted_ms");
  }
  return measured;
}

void read_infill(const json::object& object, const AnswerPlan& plan, Chunk& chunk) {
  chunk.content = text_at(object, "content");
  if (const json::array* tokens = array_at(object, "completion_probabilities")) {
    chunk.logprobs = logprobs_of(*tokens, plan.top_logprobs);
  }
  const json::value* stop = member(object, "stop");
  if (stop != nullptr && stop->is_bool() && stop->get_bool()) {
    chunk.finish = text_at(object, "stop_type") == "limit" ? "length" : "stop";
    chunk.measured.prompt_tokens = count_at(object, "tokens_evaluated");
    chunk.measured.answer_tokens = count_at(object, "tokens_predicted");
  }
}

// The pieces of a stream are in `delta`, a whole answer is in `message`.
void read_message(const json::object& choice, Chunk& chunk) {
  const json::object* message = object_at(choice, "delta");
  message = message != nullptr ? message : object_at(choice, "message");
  if (message == nullptr) {
    return;
  }
  chunk.content = text_at(*message, "content");
  chunk.thinking = text_at(*message, "reasoning_content");
  if (chunk.thinking.empty()) {
    chunk.thinking = text_at(*message, "reasoning");  // vLLM's name for it
  }
  if (const json::array* calls = array_at(*message, "tool_calls")) {
    chunk.tool_calls = *calls;
  }
}

void read_choice(const json::object& choice, const AnswerPlan& plan, Chunk& chunk) {
  if (plan.source == Source::Chat) {
    read_message(choice, chunk);
  } else {
    chunk.content = text_at(choice, "text");
  }
  if (const json::object* logprobs = object_at(choice, "logprobs")) {
    if (const json::array* tokens = array_at(*logprobs, "content")) {
      chunk.logprobs = logprobs_of(*tokens, plan.top_logprobs);
    }
  }
  const std::string_view finish = text_at(choice, "finish_reason");
  chunk.finish = finish == "tool_calls" ? "stop" : finish;
}

}  // namespace

void Measured::take(const Measured& later) {
  const auto replace = [](auto& mine, const auto& theirs) { mine = theirs ? theirs : mine; };
  replace(prompt_tokens, later.prompt_tokens);
  replace(answer_tokens, later.answer_tokens);
  replace(prompt_ms, later.prompt_ms);
  replace(answer_ms, later.answer_ms);
}

Chunk read_chunk(const json::object& object, const AnswerPlan& plan) {
  Chunk chunk;
  chunk.is_error = member(object, "error") != nullptr;
  chunk.measured = measured_of(object);
  if (plan.source == Source::Infill) {
    read_infill(object, plan, chunk);
  } else if (const json::object* choice = first_at(object, "choices")) {
    read_choice(*choice, plan, chunk);
  }
  return chunk;
}

}  // namespace hf::ollama
