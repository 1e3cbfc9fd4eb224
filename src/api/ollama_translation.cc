#include "api/ollama_translation.h"

#include <fmt/format.h>

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
        caller_(call.caller),
        who_(call.who()),
        model_(model),
        request_(std::move(request)),
        body_(std::make_shared<const std::string>(std::move(request_.body))),
        clock_(ollama::system_clock()),
        asked_(clock_.now()) {
    request_.plan.heartbeats = wants_heartbeats(call.exchange->head());
  }

  net::UpstreamRequest request() override {
    net::UpstreamRequest upstream;
    upstream.target = request_.target;
    upstream.body = body_;
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
    if (!request_.truncate || shortening_ || refused.code != "context_length_exceeded" ||
        limit <= 0 || !context_.call_upstream) {
      return false;
    }
    shortening_ = std::make_shared<Shortening>();
    shortening_->body = body_;
    shortening_->tokens_max = limit;
    upstream_ = upstream;
    mended_ = std::move(done);
    shorten();
    return true;
  }

  ApiError explained(ApiError refused) const override {
    if (request_.empty_text && refused.message.find("cannot be empty") != std::string::npos) {
      refused.message = request_.plan.endpoint == ollama::Endpoint::Embed
                            ? fmt::format("input[{}] is empty", *request_.empty_text)
                            : "the text is empty";
      refused.message += ", and this model has no embedding of an empty text";
      refused.param = "input";
      refused.hint = "leave it out";
    }
    return refused;
  }

  void abandon() override { mended_ = nullptr; }

  void answered() override {
    if (request_.zero_keep_alive) {
      const bool allowed = may_let_go(*context_.recent_use, caller_, model_, use_time());
      context_.engine.let_go(model_, allowed, who_, [](bool) {});
    }
  }

 private:
  // What of the shortening takes long: some ten milliseconds for each MB. A value that the worker
  // and the loop use one after the other.
  struct Shortening {
    std::shared_ptr<const std::string> body;
    std::int64_t tokens_max = 0;
    std::optional<ollama::Truncation> truncation;
    std::string answer;  // to the latest question
    bool good = false;
    std::optional<std::string> question;
    std::optional<std::string> mended;

    void go_on() {
      if (!truncation) {
        truncation.emplace(*body, tokens_max);
      } else if (!truncation->take_answer(answer)) {
        return;
      }
      answer.clear();
      question = truncation->question();
      if (!question) {
        mended = truncation->mended();
      }
      good = true;
    }
  };

  void shorten() {
    shortening_->good = false;
    engine::SideJob job;
    job.user = caller_.user;
    job.bytes = shortening_->body->size() + shortening_->answer.size();
    job.work = [work = shortening_] { work->go_on(); };
    job.done = [self = shared_from_this()] { self->on_shortened(); };
    if (!context_.engine.beside_loop(std::move(job))) {
      end_mending(false);
    }
  }

  void on_shortened() {
    if (!mended_) {
      return;  // abandoned
    }
    if (!shortening_->good) {
      return end_mending(false);
    }
    if (shortening_->question) {
      return ask(std::move(*shortening_->question));
    }
    const bool better = shortening_->mended.has_value();
    if (better) {
      body_ = std::make_shared<const std::string>(std::move(*shortening_->mended));
    }
    shortening_ = std::make_shared<Shortening>();  // what was needed for it may go
    end_mending(better);
  }

  void ask(std::string question) {
    net::UpstreamCall call;
    call.socket_path = upstream_.socket_path;
    call.port = upstream_.port;
    call.target = "/tokenize";
    call.body = std::move(question);
    context_.call_upstream(std::move(call),
                           [self = shared_from_this()](Result<net::UpstreamAnswer> answer) {
                             if (!self->mended_) {
                               return;  // abandoned
                             }
                             if (!answer || answer->status != 200) {
                               return self->end_mending(false);
                             }
                             self->shortening_->answer = std::move(answer->body);
                             self->shorten();
                           });
  }

  void end_mending(bool better) {
    if (const std::function<void(bool)> done = std::exchange(mended_, nullptr)) {
      done(better);
    }
  }

  Context& context_;
  Caller caller_;
  std::string who_;
  ModelId model_;
  ollama::Request request_;
  // Until the end, for a second attempt.
  std::shared_ptr<const std::string> body_;
  ollama::Clock clock_;
  TimePoint asked_;
  std::optional<std::string> last_words_;
  std::shared_ptr<Shortening> shortening_;  // set once it was tried
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
