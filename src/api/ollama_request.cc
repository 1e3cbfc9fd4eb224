#include "api/ollama_request.h"

#include <boost/json/serialize.hpp>
#include <utility>

#include "api/fitness.h"
#include "api/heartbeat.h"
#include "api/model_request.h"
#include "net/json_model.h"
#include "ollama/request.h"
#include "ollama/translate_answer.h"
#include "ollama/truncation.h"

namespace hf::api {
namespace {

using ollama::Work;

// simdjson reads that far behind the end.
constexpr std::size_t kPadding = 64;
constexpr std::string_view kLines = "application/x-ndjson";
constexpr std::string_view kOthers =
    "the model stays loaded: it is in use, pinned, or others used it lately";

ApiError from_fault(const ollama::Fault& fault) {
  ApiError error = bad_request("invalid_request", fault.message);
  error.param = fault.param;
  error.hint = fault.hint;
  return error;
}

ollama::ModelFacts facts_of(const engine::Engine& engine, ModelId model) {
  const engine::ModelTraits traits = engine.traits_of(model);
  ollama::ModelFacts facts;
  facts.name = engine.name_of(model);
  facts.context = traits.context;
  facts.has_chat_template = traits.has_chat_template;
  facts.takes_images = traits.takes_images;
  facts.embedding_input = traits.embedding_input;
  return facts;
}

// What the engine will get must be as harmless as what it gets from clients directly.
std::optional<ApiError> check_body(std::string& body, bool lists_are_tasks,
                                   const config::Config& config) {
  const std::size_t size = body.size();
  body.resize(size + kPadding);
  const net::BodyRules rules{.model_required = true, .lists_are_tasks = lists_are_tasks};
  const net::BodyResult checked = net::read_body_fields(std::string_view(body.data(), size), rules);
  body.resize(size);
  return checked.fields ? unacceptable(checked.fields->media, config)
                        : std::optional(from_body_fault(checked.fault, checked.detail));
}

class OllamaTranslation final : public Translation,
                                public std::enable_shared_from_this<OllamaTranslation> {
 public:
  OllamaTranslation(Context& context, const Call& call, ModelId model, ollama::Request request)
      : context_(context),
        exchange_(call.exchange),
        user_(call.caller.user),
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

  std::string_view stream_type() const override { return kLines; }
  std::string heartbeat(const boost::json::object& progress) const override {
    return ollama::waiting_line(request_.plan.endpoint, request_.plan.model,
                                boost::json::serialize(progress), clock_);
  }
  std::string_view warning() const override { return request_.plan.warning; }
  std::optional<std::string_view> last_words() const override { return last_words_; }

  bool mend(const ApiError& refused, const Upstream& upstream,
            std::function<void(bool)> done) override {
    const std::int64_t limit = facts_of(context_.engine, model_).embedding_input;
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
    if (request_.zero_keep_alive && !context_.recent_use->by_others(model_, user_, clock_.now())) {
      context_.engine.let_go(model_, who_, [](bool) {});
    }
  }

 private:
  // The body is given away with the first attempt, as it may be large; a further one makes it anew.
  std::string take_body() {
    if (!request_.body.empty()) {
      return std::exchange(request_.body, {});
    }
    const auto again = ollama::read_request(request_.plan.endpoint, exchange_->body(),
                                            request_.plan.model, facts_of(context_.engine, model_));
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
  UserId user_;
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

void answer_done(const Call& call, const ollama::AnswerPlan& plan, std::string_view reason) {
  net::Reply reply =
      json_reply(200, ollama::done_object(plan, reason, ollama::system_clock()), call.request_id);
  if (!plan.warning.empty()) {
    reply.headers.push_back(net::Header{"x-holdfast-warning", plan.warning});
  }
  call.exchange->reply(std::move(reply));
}

// A load that waits: answered when the model is ready, given up when the client leaves (a load that
// has begun goes on).
struct PendingLoad {
  Call call;
  ollama::AnswerPlan plan;
  std::string model;
  TicketId ticket{};
  bool done = false;
};

void load(Context& context, Call call, ModelId model, ollama::AnswerPlan plan) {
  const auto pending = std::make_shared<PendingLoad>();
  pending->plan = std::move(plan);
  pending->model = context.engine.name_of(model);
  pending->call = std::move(call);
  context.recent_use->note(model, pending->call.caller.user, use_time());
  pending->call.exchange->on_disconnect(
      [weak = std::weak_ptr<PendingLoad>(pending), &engine = context.engine] {
        const std::shared_ptr<PendingLoad> waiting = weak.lock();
        if (waiting && !std::exchange(waiting->done, true)) {
          engine.cancel(waiting->ticket);
        }
      });
  pending->ticket = context.engine.load(
      model, pending->call.caller.user, [pending](const engine::Outcome& outcome) {
        if (std::exchange(pending->done, true)) {
          return;
        }
        if (!outcome) {
          return pending->call.refuse(from_refusal(outcome.error(), pending->model));
        }
        answer_done(pending->call, pending->plan, "load");
      });
}

void unload(Context& context, Call call, ModelId model, ollama::AnswerPlan plan) {
  const auto answer = [call, plan = std::move(plan)](bool gone) {
    ollama::AnswerPlan told = plan;
    if (!gone) {
      told.warning.append(told.warning.empty() ? "" : "; ").append(kOthers);
    }
    answer_done(call, told, "unload");
  };
  if (context.recent_use->by_others(model, call.caller.user, use_time())) {
    return answer(false);
  }
  context.engine.let_go(model, call.who(), answer);
}

}  // namespace

void start_ollama_request(Context& context, Call call, ollama::Endpoint endpoint) {
  const std::optional<std::string>& fallback = context.config->default_model;
  const net::BodyRules rules{.model_required = !fallback,
                             .lists_are_tasks = endpoint == ollama::Endpoint::Embed};
  const net::BodyResult body = net::read_body_fields(call.exchange->body(), rules);
  if (!body.fields) {
    return call.refuse(from_body_fault(body.fault, body.detail));
  }
  const std::string name = body.fields->model.empty() ? fallback.value_or("") : body.fields->model;
  const auto model = context.engine.resolve(name);
  if (!model) {
    ApiError error = unknown_model(model.error());
    error.hint = "GET /api/tags lists the names";
    return call.refuse(error);
  }
  auto request =
      ollama::read_request(endpoint, call.exchange->body(), name, facts_of(context.engine, *model));
  if (!request) {
    return call.refuse(from_fault(request.error()));
  }
  if (request->work == Work::Load) {
    return load(context, std::move(call), *model, std::move(request->plan));
  }
  if (request->work == Work::Unload) {
    return unload(context, std::move(call), *model, std::move(request->plan));
  }
  if (const std::optional<ApiError> fault =
          check_body(request->body, request->lists_are_tasks, *context.config)) {
    return call.refuse(*fault);
  }
  call.streams = request->plan.streams;
  call.model = *model;
  call.translation =
      std::make_shared<OllamaTranslation>(context, call, *model, std::move(*request));
  ModelRequest::start(context, std::move(call));
}

}  // namespace hf::api
