// Feeds bytes to the translation of the engine's answers, once whole and once cut into pieces by
// the input itself. Both must end alike, and a complete answer must be the same text, made of whole
// lines, of which exactly the last one says that it is done.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "ollama/translate_answer.h"

namespace {

using namespace hf::ollama;

struct Outcome {
  bool complete = false;
  std::string text;
};

Outcome translate(const AnswerPlan& plan, bool events, std::string_view body, std::size_t piece) {
  Clock clock;
  clock.unix_ns = [] { return std::int64_t{1'760'000'000'000'000'000}; };
  clock.now = [] { return hf::TimePoint(std::chrono::seconds(10)); };
  const auto translator = translate_answer(plan, {}, clock, [](std::string_view) {});
  translator->content_type(200, events ? "text/event-stream" : "application/json");
  Outcome outcome;
  for (std::size_t at = 0; at < body.size(); at += piece) {
    outcome.text += translator->translate(body.substr(at, piece));
  }
  const std::optional<std::string> end = translator->finish();
  outcome.complete = end.has_value();
  outcome.text += end.value_or("");
  return outcome;
}

void check_lines(std::string_view text) {
  std::size_t done = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    HF_ASSERT(end != std::string_view::npos, "a line without an end");
    const std::string_view line = text.substr(0, end);
    HF_ASSERT(line.starts_with('{') && line.ends_with('}'), "a line that is no object");
    HF_ASSERT(done == 0, "a line after the last one");
    done += line.find("\"done_reason\":") != std::string_view::npos &&
                    line.find("\"total_duration\":") != std::string_view::npos
                ? 1U
                : 0U;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  AnswerPlan plan;
  plan.model = "m";
  plan.source = static_cast<Source>(data[0] % 4);
  plan.endpoint = plan.source == Source::Vectors ? Endpoint::Embed : Endpoint::Generate;
  if ((data[0] & 4U) != 0) {
    plan.endpoint = plan.source == Source::Vectors ? Endpoint::Embeddings : Endpoint::Chat;
  }
  plan.streams = (data[0] & 8U) != 0 && plan.source != Source::Vectors;
  plan.top_logprobs = (data[0] & 16U) != 0 ? 2 : 0;
  if ((data[0] & 32U) != 0) {
    plan.dimensions = 2;
  }
  const bool events = (data[0] & 64U) != 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Outcome whole = translate(plan, events, body, body.size() + 1);
  const Outcome pieces = translate(plan, events, body, data[1] % 16U + 1U);
  HF_ASSERT(whole.complete == pieces.complete, "cut elsewhere it ends otherwise");
  if (whole.complete) {
    HF_ASSERT(whole.text == pieces.text, "cut elsewhere it is another text");
    HF_ASSERT(!whole.text.empty(), "a complete answer without a text");
  }
  if (whole.complete && plan.streams) {
    check_lines(whole.text);
  }
  return 0;
}
