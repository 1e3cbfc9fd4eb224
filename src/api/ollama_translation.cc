#include "api/ollama_translation.h"

#include <boost/json/serialize.hpp>
#include <utility>

#include "api/heartbeat.h"
#include "ollama/translate_answer.h"
#include "ollama/truncation.h"

namespace hf::api {
namespace {

class OllamaTranslation final : public Translation,
                                public std::enable_shared_from_this<OllamaTranslation> {
 public:
  OllamaTranslation(Context& context, const Call& call, ModelId model, ollama::Request request)
      : context_(context),
        exchange_(call.exchange),
        caller_(call.caller),
        who_(call.who()),
        model_(model),
        request_(std::move(request)),
        clock_(ollama::system_clock()),
        asked_(clock_.now()) {
    request_.plan.heartbeats = wants_heartbeats(call.exchange->head());
  }

  net::UpstreamRequest request() override {
    net::UpstreamRequest upstream;
    upstream.target = request_.target;
    upstream.body = take_body();
    return upstream;
  }

  std::shared_ptr<net::Translator> translator() override {
    last_words_.reset();
    return ollama::translate_answer(request_.plan, ollama::Begun{asked_, clock_.now()}, clock_,
                                    [weak = weak_from_this()](std::string_view words) {
                                      if (const auto self = weak.lock()) {
                                        self->last_words_ = words;
                                      }
                                    });
  }

  std::string_view stream_type() const override { return kOllamaLines; }
  std::string heartbeat(const boost::json::object& progress) const override {
    return ollama::waiting_line(request_.plan.endpoint, request_.plan.model,
                                boost::json::serialize(progress), clock_);
  }
  std::string_view warning() const override { return request_.plan.warning; }
  std::optional<std::string_view> last_words() const override { return last_words_; }

  bool mend(const ApiError& refused, const Upstream& upstream,
            std::function<void(bool)> done) override {
    const std::int64_t limit = ollama_facts(context_.engine, model_).embedding_input;
    if (!request_.truncate || truncation_ || refused.code != "context_length_exceeded" ||
        limit <= 0 || !context_.call_upstream) {
      return false;
    }
    truncation_.emplace(take_body(), limit);
    upstream_ = upstream;
    mended_ = std::move(done);
    ask_next();
    return true;
  }

  void abandon() override { mended_ = nullptr; }

  void answered() override {
    if (request_.zero_keep_alive) {
      const bool allowed = may_let_go(*context_.recent_use, caller_, model_, use_time());
      context_.engine.let_go(model_, allowed, who_, [](bool) {});
    }
  }

 private:
  // The body is given away with the first attempt, as it may be large; a further one makes it anew.
  std::string take_body() {
    if (!request_.body.empty()) {
      return std::exchange(request_.body, {});
    }
    const auto again =
        ollama::read_request(request_.plan.endpoint, exchange_->body(), request_.plan.model,
                             ollama_facts(context_.engine, model_));
    return again ? again->body : std::string("{}");
  }

  void ask_next() {
    const std::optional<std::string> question = truncation_->question();
    if (!question) {
      std::optional<std::string> body = truncation_->mended();
      const bool better = body.has_value();
      request_.body = std::move(body).value_or("");
      return end_mending(better);
    }
    net::UpstreamCall call;
    call.socket_path = upstream_.socket_path;
    call.port = upstream_.port;
    call.target = "/tokenize";
    call.body = *question;
    context_.call_upstream(std::move(call), [self = shared_from_this()](const auto& answer) {
      if (!self->mended_) {
        return;  // abandoned
      }
      if (!answer || answer->status != 200 || !self->truncation_->take_answer(answer->body)) {
        return self->end_mending(false);
      }
      self->ask_next();
    });
  }

  void end_mending(bool better) {
    if (const std::function<void(bool)> done = std::exchange(mended_, nullptr)) {
      done(better);
    }
  }

  Context& context_;
  std::shared_ptr<net::Exchange> exchange_;
  Caller caller_;
  std::string who_;
  ModelId model_;
  ollama::Request request_;
  ollama::Clock clock_;
  TimePoint asked_;
  std::optional<std::string> last_words_;
  std::optional<ollama::Truncation> truncation_;
  Upstream upstream_;
  std::function<void(bool)> mended_;
};

}  // namespace

ollama::ModelFacts ollama_facts(const engine::Engine& engine, ModelId model) {
  const engine::ModelTraits traits = engine.traits_of(model);
  ollama::ModelFacts facts;
  facts.name = engine.name_of(model);
  facts.context = traits.context;
  facts.has_chat_template = traits.has_chat_template;
  facts.embedding_input = traits.embedding_input;
  return facts;
}

std::shared_ptr<Translation> translate_ollama(Context& context, const Call& call, ModelId model,
                                              ollama::Request request) {
  return std::make_shared<OllamaTranslation>(context, call, model, std::move(request));
}

}  // namespace hf::api
