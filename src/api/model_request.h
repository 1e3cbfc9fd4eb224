#pragma once
// The life of one request to a model: checked, queued, granted, relayed, released. Why a class: its
// parts happen in any order (the client leaves, the lease is cut, the child dies, the answer ends),
// and whatever comes first must leave exactly one outcome and no lease behind. Loop thread. It
// keeps itself alive through the callback that is due next (engine, relay or timer); the client's
// and the lease's callbacks only borrow it.

#include <memory>
#include <optional>
#include <string>

#include "api/asked_model.h"
#include "api/context.h"
#include "api/heartbeat.h"
#include "api/translation.h"

namespace hf::api {

class ModelRequest : public std::enable_shared_from_this<ModelRequest> {
 public:
  // Takes the request over; it will be answered. Bad input is refused before the engine hears of
  // it.
  static void start(Context& context, Call call);

  // For start() only: use that.
  ModelRequest(Context& context, Call call) : context_(context), call_(std::move(call)) {}
  ModelRequest(const ModelRequest&) = delete;
  ModelRequest& operator=(const ModelRequest&) = delete;
  ~ModelRequest();

 private:
  static void begin(Context& context, Call call, const Asked& asked);
  static void begin_counted(Context& context, Call call, const Asked& asked);
  void begin_heartbeats();
  void end_heartbeats();
  // The head of a stream that begins before its content.
  net::StreamHead stream_head() const;
  void ask();
  void on_outcome(engine::Outcome outcome);
  void on_client_gone();
  void on_cut(const core::Reason& reason);
  void relay(Upstream upstream);
  void on_relay_end(const net::RelayResult& result);
  // The upstream answered with an error.
  void on_upstream_error(const ApiError& refused);
  // A relay failed before anything of its answer was sent, and why is known as far as it will be:
  // once more, with a new lease, or refused.
  void on_failure();
  void refuse(const ApiError& error);
  ApiError broken_error(const net::RelayResult& result) const;
  std::string_view stream_type() const;
  void note_use();
  // `promise`, `waited`: as they are known by now.
  std::vector<net::Header> extra_headers(const std::optional<engine::Promise>& promise,
                                         Duration waited) const;

  Context& context_;
  Call call_;
  ModelId model_;
  std::string name_;
  TicketId ticket_;
  std::shared_ptr<RecentUse> recent_use_;  // set once this one is a use
  engine::Lease lease_;
  Upstream upstream_;  // of the latest relay
  Duration waited_{};
  std::optional<engine::Promise> promise_;  // the first one: it is about the whole wait
  std::shared_ptr<Heartbeats> heartbeats_;  // of a streaming request, until its answer begins
  std::optional<core::Reason> cut_;         // why the present lease was taken away
  std::optional<net::RelayResult> failed_;  // of a relay, until its cause is known
  bool wants_stream_ = false;
  bool queued_ = false;
  bool gone_ = false;
  bool retried_ = false;
};

}  // namespace hf::api
