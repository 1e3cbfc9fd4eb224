#pragma once
// Every error a client can get, in one table: status, machine code, sentence, and whether to try
// again, told in the dialect of the API that was called. Why the statuses are what they are:
//   * never_fits and model_broken are 422, not 5xx: the official SDKs repeat every 5xx by
//   themselves, and
//     repeating cannot help here; nobody was evicted for such a request.
//   * 429 is the caller's own limit, 503 the server's state now (card_taken: other programs hold
//     the card that the model would fit); both say when to come back.
//   * 409 (model_in_use, a pin that cannot fit) answers a command, and says x-should-retry: false.
// Nothing here names a path, a program, its arguments or a key. Pure, any thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "core/reason.h"
#include "engine/engine.h"
#include "net/exchange.h"
#include "net/json_model.h"

namespace hf::api {

enum class Dialect { OpenAi, Anthropic, Ollama };

struct ApiError {
  int status = 500;
  std::string code{};  // stable: "model_not_found"
  std::string message{};
  std::string hint{};      // the next step; "" none
  std::string param{};     // the field it is about; "" none
  std::string allow{};     // 405: the methods that are allowed
  Duration retry_after{};  // zero: retrying will not help
  std::vector<std::pair<std::string, std::int64_t>>
      numbers{};  // further fields, such as needed_bytes
};

// Whole seconds for Retry-After, at least 1. Requires: after > 0.
std::int64_t retry_after_s(Duration after);

// {"error":{…}}, {"type":"error","error":{…}}, or for Ollama's clients {"error":"…", …}.
std::string error_body(const ApiError& error, Dialect dialect, std::string_view request_id);
// The whole answer: body, Retry-After, Allow, x-request-id.
net::Reply error_reply(const ApiError& error, Dialect dialect, std::string_view request_id);
// The last event of a stream that breaks, for text/event-stream; a line of JSON for NDJSON.
std::string stream_error_event(const ApiError& error, Dialect dialect,
                               std::string_view content_type);

// A request that was not granted. `model` is its canonical name; the refusal's message says only
// why, without that name.
ApiError from_refusal(const engine::Refusal& refusal, std::string_view model);
// A lease that was taken away.
ApiError from_cut(const core::Reason& reason, std::string_view model);
// The engine's process died while it answered, or does not take requests.
ApiError upstream_crashed(std::string_view model);

// `field`: what it is about, "": as the fault itself says.
ApiError from_body_fault(net::BodyFault fault, std::string_view detail,
                         std::string_view field = {});
ApiError unknown_model(const engine::NotFound& not_found);
// The engine took no further side job.
ApiError too_much_to_read();
ApiError bad_request(std::string code, std::string message);

}  // namespace hf::api
