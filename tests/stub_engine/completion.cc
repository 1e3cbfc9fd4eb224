#include "stub_engine/completion.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace hf::stub {
namespace {

namespace json = boost::json;

json::object envelope(const Completion& completion, const char* object) {
  return json::object{{"id", completion.id},
                      {"object", object},
                      {"created", 0},
                      {"model", completion.model},
                      {"system_fingerprint", "stub"}};
}

json::object usage(const Completion& completion, int said) {
  return json::object{
      {"completion_tokens", said},
      {"prompt_tokens", completion.prompt_tokens},
      {"total_tokens", completion.prompt_tokens + said},
      {"prompt_tokens_details", json::object{{"cached_tokens", completion.cached_tokens}}}};
}

json::object timings(const Completion& completion, int said) {
  return json::object{{"cache_n", completion.cached_tokens},
                      {"prompt_n", completion.prompt_tokens - completion.cached_tokens},
                      {"predicted_n", said},
                      {"prompt_ms", 1.0},
                      {"predicted_ms", 1.0},
                      {"predicted_per_second", 1000.0 * said}};
}

std::string event(const json::object& data) {
  return "data: " + json::serialize(data) + "\n\n";
}

std::string chunk(const Completion& completion, json::object content, const json::value& finish) {
  json::object choice{{"index", 0}, {"finish_reason", finish}};
  if (completion.chat) {
    choice["delta"] = std::move(content);
  } else {
    choice["text"] = content.contains("content") ? content["content"] : json::value("");
    choice["logprobs"] = nullptr;
  }
  json::object data =
      envelope(completion, completion.chat ? "chat.completion.chunk" : "text_completion");
  data["choices"] = json::array{std::move(choice)};
  return event(data);
}

}  // namespace

std::string token_text(int number) {
  return "tok" + std::to_string(number) + " ";
}

std::string role_event(const Completion& completion) {
  if (!completion.chat) {
    return {};
  }
  return chunk(completion, json::object{{"role", "assistant"}, {"content", nullptr}}, nullptr);
}

std::string token_event(const Completion& completion, int number) {
  return chunk(completion, json::object{{"content", token_text(number)}}, nullptr);
}

std::string final_events(const Completion& completion, int said) {
  json::object choice{{"index", 0}, {"finish_reason", "length"}};
  if (completion.chat) {
    choice["delta"] = json::object{};
  } else {
    choice["text"] = "";
  }
  json::object last =
      envelope(completion, completion.chat ? "chat.completion.chunk" : "text_completion");
  last["choices"] = json::array{std::move(choice)};
  last["timings"] = timings(completion, said);
  std::string events = event(last);
  if (completion.include_usage) {
    json::object figures =
        envelope(completion, completion.chat ? "chat.completion.chunk" : "text_completion");
    figures["choices"] = json::array{};
    figures["usage"] = usage(completion, said);
    figures["timings"] = timings(completion, said);
    events += event(figures);
  }
  return events + "data: [DONE]\n\n";
}

std::string whole_answer(const Completion& completion, int said) {
  std::string text;
  for (int number = 1; number <= said; ++number) {
    text += token_text(number);
  }
  json::object choice{{"index", 0}, {"finish_reason", "length"}};
  if (completion.chat) {
    choice["message"] = json::object{{"role", "assistant"}, {"content", text}};
  } else {
    choice["text"] = text;
    choice["logprobs"] = nullptr;
  }
  json::object answer =
      envelope(completion, completion.chat ? "chat.completion" : "text_completion");
  answer["choices"] = json::array{std::move(choice)};
  answer["usage"] = usage(completion, said);
  answer["timings"] = timings(completion, said);
  return json::serialize(answer);
}

}  // namespace hf::stub
