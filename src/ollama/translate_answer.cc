#include "ollama/translate_answer.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <utility>

#include "ollama/event_reader.h"
#include "ollama/json.h"
#include "ollama/tool_calls.h"
#include "ollama/translate_vectors.h"

namespace hf::ollama {
namespace {

namespace json = boost::json;

constexpr std::string_view kLines = "application/x-ndjson";
constexpr std::string_view kObject = "application/json; charset=utf-8";
constexpr std::string_view kEvents = "text/event-stream";
// A whole answer of a long context with twenty probabilities for each token.
constexpr std::size_t kWholeBytesMax = 256U * 1024 * 1024;
constexpr std::size_t kDepthMax = 512;

class AnswerTranslator final : public net::Translator {
 public:
  AnswerTranslator(const AnswerPlan& plan, Begun begun, const Clock& clock, OnEngineError on_error)
      : plan_(plan), clock_(clock), writer_(plan, begun, clock), on_error_(std::move(on_error)) {}

  std::string content_type(int /*status*/, std::string_view upstream_type) override {
    is_stream_ = upstream_type.starts_with(kEvents);
    return std::string(plan_.streams ? kLines : kObject);
  }

  std::string translate(std::string_view piece) override {
    if (!is_stream_) {
      failed_ = failed_ || whole_.size() + piece.size() > kWholeBytesMax;
      whole_ += failed_ ? std::string_view() : piece;
      return {};
    }
    std::string out;
    const bool good = events_.read(
        piece, [this, &out](std::string_view data) { take_event(data, out); },
        [this, &out] { take_comment(out); });
    failed_ = failed_ || !good;
    return out;
  }

  bool failed() const override { return failed_; }

  std::optional<std::string> finish() override {
    if (!is_stream_ && !failed_) {
      take(whole_);
    }
    if (failed_ || rest_.finish.empty() || !events_.at_rest()) {
      return std::nullopt;
    }
    json::array calls = calls_.whole();
    std::string out;
    if (plan_.streams && (!calls.empty() || has_text(rest_))) {
      out = writer_.piece(rest_, std::exchange(calls, {})) + "\n";
      rest_.content.clear();
      rest_.thinking.clear();
      rest_.logprobs.clear();
    }
    return out + writer_.last(std::move(rest_), std::move(calls), warning()) +
           (plan_.streams ? "\n" : "");
  }

 private:
  static bool has_text(const Chunk& chunk) {
    return !chunk.content.empty() || !chunk.thinking.empty() || !chunk.logprobs.empty();
  }

  void take_event(std::string_view data, std::string& out) {
    if (data != "[DONE]") {
      take(data);
    }
    // One object for all of it, if no lines are wanted.
    if (plan_.streams && !failed_ && has_text(rest_)) {
      out += writer_.piece(rest_, {}) + "\n";
      rest_.content.clear();
      rest_.thinking.clear();
      rest_.logprobs.clear();
    }
  }

  void take_comment(std::string& out) {
    if (plan_.streams && plan_.heartbeats && !failed_) {
      out += waiting_line(plan_.endpoint, plan_.model, {}, clock_);
    }
  }

  // An object of the engine; its text joins what is there.
  void take(std::string_view text) {
    boost::system::error_code ec;
    json::parse_options options;
    options.max_depth = kDepthMax;
    const json::value value = json::parse(text, ec, {}, options);
    const json::object* object = ec ? nullptr : value.if_object();
    if (object == nullptr) {
      failed_ = true;
      return;
    }
    Chunk chunk = read_chunk(*object, plan_);
    if (chunk.is_error) {
      on_error_(text);
    }
    failed_ = failed_ || chunk.is_error || !calls_.add(chunk.tool_calls);
    if (has_text(chunk) || !chunk.tool_calls.empty()) {
      writer_.note_first();
    }
    rest_.content += chunk.content;
    rest_.thinking += chunk.thinking;
    failed_ = failed_ || rest_.content.size() + rest_.thinking.size() > kWholeBytesMax;
    for (json::value& token : chunk.logprobs) {
      rest_.logprobs.push_back(std::move(token));
    }
    if (!chunk.finish.empty()) {
      rest_.finish = std::move(chunk.finish);
    }
    rest_.measured.take(chunk.measured);
  }

  std::string warning() const {
    constexpr std::string_view kCut = "a tool call was cut off and left out";
    if (!calls_.cut()) {
      return plan_.warning;
    }
    return plan_.warning.empty() ? std::string(kCut) : plan_.warning + "; " + std::string(kCut);
  }

  AnswerPlan plan_;
  Clock clock_;
  AnswerWriter writer_;
  OnEngineError on_error_;
  EventReader events_;
  bool is_stream_ = false;
  bool failed_ = false;
  std::string whole_;
  Chunk rest_;  // what was not written yet, and the end
  ToolCalls calls_;
};

}  // namespace

std::shared_ptr<net::Translator> translate_answer(const AnswerPlan& plan, Begun begun,
                                                  const Clock& clock, OnEngineError on_error) {
  if (plan.source == Source::Vectors) {
    return translate_vectors(plan, begun, clock);
  }
  return std::make_shared<AnswerTranslator>(plan, begun, clock, std::move(on_error));
}

}  // namespace hf::ollama
