#include "ollama/answer_writer.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cmath>
#include <utility>

#include "ollama/timestamp.h"

namespace hf::ollama {
namespace {

namespace json = boost::json;

std::int64_t ns_of_ms(double milliseconds) {
  constexpr double kNsPerMs = 1e6;
  constexpr double kMost = 9e18;
  const double ns = milliseconds * kNsPerMs;
  return ns >= 0 && ns < kMost ? std::llround(ns) : 0;
}

json::object head(std::string_view model, const Clock& clock) {
  return {{"model", model}, {"created_at", rfc3339(clock.unix_ns())}};
}

// Where the text stands, by endpoint.
void add_text(json::object& object, Endpoint endpoint, json::object message) {
  if (endpoint == Endpoint::Chat) {
    json::object whole{{"role", "assistant"}};
    for (json::key_value_pair& pair : message) {
      whole[pair.key()] = std::move(pair.value());
    }
    object["message"] = std::move(whole);
    return;
  }
  for (json::key_value_pair& pair : message) {
    const bool is_text = pair.key() == "content";
    object[is_text ? "response" : pair.key()] = std::move(pair.value());
  }
}

}  // namespace

Clock system_clock() {
  namespace chrono = std::chrono;
  Clock clock;
  clock.unix_ns = [] {
    const auto since = chrono::system_clock::now().time_since_epoch();
    return chrono::duration_cast<chrono::nanoseconds>(since).count();
  };
  clock.now = [] {
    const auto since = chrono::steady_clock::now().time_since_epoch();
    return TimePoint(chrono::duration_cast<Duration>(since));
  };
  return clock;
}

void AnswerWriter::note_first() {
  if (first_ == TimePoint{}) {
    first_ = clock_.now();
  }
}

json::object AnswerWriter::object_of(Chunk chunk, json::array tool_calls) const {
  json::object object = head(plan_.model, clock_);
  json::object message{{"content", chunk.content}};
  if (!chunk.thinking.empty()) {
    message["thinking"] = chunk.thinking;
  }
  if (!tool_calls.empty()) {
    message["tool_calls"] = std::move(tool_calls);
  }
  add_text(object, plan_.endpoint, std::move(message));
  object["done"] = !chunk.finish.empty();
  if (!chunk.logprobs.empty()) {
    object["logprobs"] = std::move(chunk.logprobs);
  }
  return object;
}

std::string AnswerWriter::piece(Chunk chunk, json::array tool_calls) const {
  chunk.finish.clear();
  return json::serialize(object_of(std::move(chunk), std::move(tool_calls)));
}

std::string AnswerWriter::last(Chunk chunk, json::array tool_calls,
                               const std::string& warning) const {
  const Measured measured = chunk.measured;
  const std::string finish = chunk.finish;
  json::object object = object_of(std::move(chunk), std::move(tool_calls));
  const TimePoint now = clock_.now();
  const TimePoint first = first_ == TimePoint{} ? now : first_;
  object["done_reason"] = finish;
  object["total_duration"] = (now - begun_.asked).count();
  object["load_duration"] = load_ns();
  object["prompt_eval_count"] = measured.prompt_tokens.value_or(0);
  object["prompt_eval_duration"] =
      measured.prompt_ms ? ns_of_ms(*measured.prompt_ms) : (first - begun_.granted).count();
  object["eval_count"] = measured.answer_tokens.value_or(0);
  object["eval_duration"] =
      measured.answer_ms ? ns_of_ms(*measured.answer_ms) : (now - first).count();
  if (!warning.empty()) {
    object["warning"] = warning;
  }
  return json::serialize(object);
}

std::string done_object(const AnswerPlan& plan, std::string_view reason, const Clock& clock) {
  if (plan.endpoint == Endpoint::Embed) {
    json::object object{{"model", plan.model}, {"embeddings", json::array()}};
    return json::serialize(object);
  }
  if (plan.endpoint == Endpoint::Embeddings) {
    return R"({"embedding":[]})";
  }
  json::object object = head(plan.model, clock);
  add_text(object, plan.endpoint, json::object{{"content", ""}});
  object["done"] = true;
  object["done_reason"] = reason;
  if (!plan.warning.empty()) {
    object["warning"] = plan.warning;
  }
  return json::serialize(object);
}

std::string waiting_line(Endpoint endpoint, std::string_view model, std::string_view progress,
                         const Clock& clock) {
  json::object object = head(model, clock);
  add_text(object, endpoint, json::object{{"content", ""}});
  object["done"] = false;
  boost::system::error_code ec;
  json::value how = progress.empty() ? json::value() : json::parse(progress, ec);
  if (!ec && how.is_object()) {
    object["holdfast"] = std::move(how);
  }
  return json::serialize(object) + "\n";
}

}  // namespace hf::ollama
