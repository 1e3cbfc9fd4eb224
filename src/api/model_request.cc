#include "api/model_request.h"

#include <utility>

#include "api/relay_error.h"
#include "api/upstream_error.h"
#include "api/waits.h"

namespace hf::api {
namespace {

// A dying process closes its sockets some milliseconds before its exit is reported. What failed
// waits for that report, because only a death is worth a second attempt and that must not be
// granted the same dead child; this long at most.
constexpr Duration kExitNews = std::chrono::milliseconds(500);
constexpr std::string_view kEventStream = "text/event-stream";

}  // namespace

void ModelRequest::start(Context& context, Call call) {
  if (call.translation) {
    const Asked asked{call.model, call.streams};
    return begin(context, std::move(call), asked);
  }
  ReadBody read = body_reader(context, call);
  look_at_body(context, std::move(call), std::move(read),
               [&context](Call looked, const net::BodyResult& body) {
                 const tl::expected<Asked, ApiError> asked = asked_of(context, looked, body);
                 if (!asked) {
                   return looked.refuse(asked.error());
                 }
                 begin(context, std::move(looked), *asked);
               });
}

void ModelRequest::begin(Context& context, Call call, const Asked& asked) {
  count_call(context, std::move(call), [&context, asked](Call counted) {
    begin_counted(context, std::move(counted), asked);
  });
}

void ModelRequest::begin_counted(Context& context, Call call, const Asked& asked) {
  const auto self = std::make_shared<ModelRequest>(context, std::move(call));
  self->model_ = asked.model;
  self->name_ = context.engine.name_of(asked.model);
  self->wants_stream_ = self->call_.streams && asked.stream;
  self->call_.exchange->on_disconnect([weak = self->weak_from_this()] {
    if (const auto request = weak.lock()) {
      request->on_client_gone();
    }
  });
  self->begin_heartbeats();
  self->recent_use_ = context.recent_use;
  self->note_use();
  self->ask();
}

ModelRequest::~ModelRequest() {
  note_use();
}

void ModelRequest::note_use() {
  if (recent_use_) {
    recent_use_->note(model_, call_.caller.user, use_time());
  }
}

void ModelRequest::begin_heartbeats() {
  if (!wants_stream_ || !wants_heartbeats(call_.exchange->head())) {
    return;
  }
  Heartbeats::Source source;
  source.head = [this] { return stream_head(); };
  source.text = [this] {
    const auto wait = queued_ ? context_.engine.wait_of(ticket_) : std::nullopt;
    const boost::json::object progress = progress_object(wait);
    return call_.translation ? call_.translation->heartbeat(progress)
                             : event_stream_heartbeat(progress, call_.dialect);
  };
  heartbeats_ = std::make_shared<Heartbeats>(context_.after, call_.exchange, std::move(source));
  heartbeats_->start();
}

net::StreamHead ModelRequest::stream_head() const {
  const auto wait = queued_ ? context_.engine.wait_of(ticket_) : std::nullopt;
  net::StreamHead head;
  head.content_type = stream_type();
  head.headers = wait ? extra_headers(wait->promise, waited_ + wait->promise.ticket.waited)
                      : extra_headers(promise_, waited_);
  head.headers.push_back(net::Header{"x-request-id", call_.request_id});
  return head;
}

void ModelRequest::ask() {
  cut_.reset();
  queued_ = true;
  if (heartbeats_) {
    heartbeats_->set_waiting(true);
  }
  ticket_ = context_.engine.acquire(model_, call_.caller.user,
                                    [self = shared_from_this()](engine::Outcome outcome) {
                                      self->on_outcome(std::move(outcome));
                                    });
}

void ModelRequest::on_client_gone() {
  gone_ = true;
  end_heartbeats();
  if (call_.translation) {
    call_.translation->abandon();
  }
  if (queued_) {
    queued_ = false;
    context_.engine.cancel(ticket_);
  }
  lease_.release();
}

void ModelRequest::on_outcome(engine::Outcome outcome) {
  queued_ = false;
  if (gone_) {
    return;  // a granted lease ends with `outcome`
  }
  std::optional<engine::Promise>& promise = outcome ? outcome->promise : outcome.error().promise;
  if (!promise_) {
    promise_ = std::move(promise);
  }
  waited_ += outcome ? outcome->waited : outcome.error().waited;
  if (!outcome) {
    return refuse(from_refusal(outcome.error(), name_));
  }
  lease_ = std::move(outcome->lease);
  lease_.on_cut([weak = weak_from_this()](const core::Reason& reason) {
    if (const auto request = weak.lock()) {
      request->on_cut(reason);
    }
  });
  if (call_.upgrades) {
    lease_.open_ended();
  }
  relay(Upstream{std::move(outcome->socket_path), outcome->port});
}

void ModelRequest::on_cut(const core::Reason& reason) {
  cut_ = reason;
  if (failed_) {
    return on_failure();
  }
  call_.exchange->abort_relay();
}

void ModelRequest::relay(Upstream upstream) {
  if (heartbeats_) {
    heartbeats_->set_waiting(false);
  }
  net::RelayPlan plan;
  plan.socket_path = upstream.socket_path;
  plan.port = upstream.port;
  plan.collect_errors = true;
  plan.request = form_as_sent(call_);
  plan.upgrade = call_.upgrades;
  if (call_.translation) {
    plan.request = call_.translation->request();
    plan.translator = call_.translation->translator();
  }
  plan.on_first_byte = [this] { end_heartbeats(); };
  plan.response_headers = extra_headers(promise_, waited_);
  plan.response_headers.push_back(net::Header{"x-request-id", call_.request_id});
  // The plan lives until on_done has run, which keeps this object alive for the other callbacks.
  plan.on_done = [self = shared_from_this()](const net::RelayResult& result) {
    self->on_relay_end(result);
  };
  plan.stream_error = [this](const net::RelayResult& result, std::string_view content_type) {
    return stream_error_event(broken_error(result), call_.dialect, content_type);
  };
  plan.on_stall = [this](bool stalled) { lease_.reader_stalled(stalled); };
  upstream_ = std::move(upstream);
  call_.exchange->relay(std::move(plan));
}

void ModelRequest::on_relay_end(const net::RelayResult& result) {
  if (result.end == net::RelayEnd::UpstreamError && !gone_) {
    return on_upstream_error(from_error_answer(result, name_, call_.dialect));
  }
  if (result.end == net::RelayEnd::UpstreamBroken && result.response_started) {
    // Its process has probably died: the core should hear of that before it can take this lease's
    // end for a model that went idle.
    context_.after(kExitNews, [self = shared_from_this()] { self->lease_.release(); });
    return;
  }
  if (result.response_started || result.end == net::RelayEnd::ClientGone || gone_) {
    const auto whole = call_.upgrades ? engine::LeaseEnd::Other : engine::LeaseEnd::Answered;
    lease_.release(result.end == net::RelayEnd::Complete ? whole : engine::LeaseEnd::BrokenOff);
    if (call_.translation && result.end == net::RelayEnd::Complete) {
      note_use();  // the answer may have been a long one
      call_.translation->answered();
    }
    return;
  }
  failed_ = result;
  if (cut_) {
    return on_failure();
  }
  context_.after(kExitNews, [self = shared_from_this(), attempt = retried_] {
    if (self->retried_ == attempt) {  // else it was cut meanwhile, and what failed is the next one
      self->on_failure();
    }
  });
}

void ModelRequest::on_failure() {
  if (!failed_ || gone_) {
    return;
  }
  const net::RelayResult result = *std::exchange(failed_, std::nullopt);
  const bool died = cut_ && cut_->why == core::Why::ChildDied;
  // Work that a living process has done for nothing it would do again for nothing.
  const bool unheard = !cut_ && result.end == net::RelayEnd::UpstreamRefused;
  if ((!died && !unheard) || std::exchange(retried_, true)) {
    return refuse(broken_error(result));
  }
  lease_.release();
  ask();
}

void ModelRequest::on_upstream_error(const ApiError& refused) {
  const ApiError error = call_.translation ? call_.translation->explained(refused) : refused;
  const auto mended = [self = shared_from_this(), error](bool better) {
    if (self->cut_) {
      return self->refuse(from_cut(*self->cut_, self->name_));
    }
    if (better) {
      return self->relay(self->upstream_);
    }
    self->lease_.release(engine::LeaseEnd::Other);
    self->refuse(error);
  };
  if (!call_.translation || !call_.translation->mend(refused, upstream_, mended)) {
    lease_.release(engine::LeaseEnd::Other);  // it answered
    refuse(error);
  }
}

void ModelRequest::end_heartbeats() {
  if (heartbeats_) {
    heartbeats_->stop();
  }
}

void ModelRequest::refuse(const ApiError& error) {
  lease_.release();
  end_heartbeats();
  if (call_.exchange->stream_started()) {
    return call_.exchange->break_stream(stream_error_event(error, call_.dialect, stream_type()));
  }
  net::Reply reply = error_reply(error, call_.dialect, call_.request_id);
  for (net::Header& header : extra_headers(promise_, waited_)) {
    reply.headers.push_back(std::move(header));
  }
  call_.exchange->reply(std::move(reply));
}

ApiError ModelRequest::broken_error(const net::RelayResult& result) const {
  if (cut_) {
    return from_cut(*cut_, name_);
  }
  const auto words = call_.translation ? call_.translation->last_words() : std::nullopt;
  constexpr int kServerError = 500;
  return words ? from_upstream_error(kServerError, *words, name_, call_.dialect)
               : from_broken_answer(result, name_);
}

std::string_view ModelRequest::stream_type() const {
  return call_.translation ? call_.translation->stream_type() : kEventStream;
}

std::vector<net::Header> ModelRequest::extra_headers(const std::optional<engine::Promise>& promise,
                                                     Duration waited) const {
  std::vector<net::Header> headers;
  add_served_headers(name_, waited, headers);
  if (promise) {
    add_promise_headers(*promise, headers);
  }
  if (call_.translation && !call_.translation->warning().empty()) {
    headers.push_back(net::Header{"x-holdfast-warning", std::string(call_.translation->warning())});
  }
  return headers;
}

}  // namespace hf::api
