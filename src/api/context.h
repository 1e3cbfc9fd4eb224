#pragma once
// What the handlers of one server share, and what they know of one request. Plain references: the
// owner (the service) outlives every exchange. Loop thread.

#include <functional>
#include <memory>
#include <string>

#include "api/access.h"
#include "api/active_request.h"
#include "api/errors.h"
#include "api/recent_use.h"
#include "api/routes.h"
#include "config/config.h"
#include "engine/engine.h"
#include "net/exchange.h"
#include "net/upstream_call.h"

namespace hf::api {

// Runs `action` from the loop after `delay`.
using After = std::function<void(Duration delay, std::function<void()> action)>;

// Reads the configuration again and calls back once it counts, or with why it does not. Errors:
// NotFound: there is no file; InvalidArgument: it cannot be used; Unavailable: shutting down.
using Reload = std::function<void(engine::ReloadCallback)>;

// Asks a model's server something for ourselves, see net::call_upstream().
using CallUpstream = std::function<void(net::UpstreamCall, net::UpstreamCallback)>;

class Translation;

struct Context {
  engine::Engine& engine;
  std::shared_ptr<const config::Config> config;
  After after;
  // Shared, because a request that a stopped loop still holds may go after the service.
  std::shared_ptr<ActiveRequests> active = std::make_shared<ActiveRequests>();
  Reload reload{};
  CallUpstream call_upstream{};
  std::shared_ptr<RecentUse> recent_use = std::make_shared<RecentUse>();  // as `active`
};

struct Call {
  std::shared_ptr<net::Exchange> exchange;
  Caller caller{};
  Dialect dialect = Dialect::OpenAi;
  std::string request_id{};
  bool lists_are_tasks = false;  // of a proxied body, see net::BodyRules
  bool takes_forms = false;      // its body may be a form instead of JSON
  bool upgrades = false;         // to another protocol: it has no body
  Use use = Use::Any;            // what it wants of a model
  bool streams = false;          // if it asks for a stream, an event stream will come
  // Of a request in another API than its model's: it was read already, and asks for `model`.
  std::shared_ptr<Translation> translation{};
  ModelId model{};
  std::shared_ptr<ActiveRequest> counted{};  // null: not yet

  // Who asks, for log and journal: the user's name, or where the request came from.
  [[nodiscard]] std::string who() const;
  void answer(int status, std::string json) const;
  void refuse(const ApiError& error) const;
};

// Counts the call for its user, unless it is counted already, and goes on with `next`. Where that
// is one more than the user may have, a moment later, or it is refused: who asks again right behind
// an answer's last byte comes before the end of that answer is known here.
void count_call(Context& context, Call call, std::function<void(Call)> next);

// Has `work` done beside the loop for the call, which holds `bytes` of memory meanwhile, then
// `done` on it, see engine::SideJobs. Refuses the call if too much waits already, and forgets it if
// its client leaves before. The call is counted before.
void do_beside_loop(Context& context, const Call& call, std::size_t bytes,
                    std::function<void()> work, std::function<void()> done);

// An answer of ours with its x-request-id.
net::Reply json_reply(int status, std::string json, const std::string& request_id);

}  // namespace hf::api
