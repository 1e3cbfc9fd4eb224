#include "api/relay_error.h"

#include <string>
#include <utility>

#include "api/upstream_error.h"

namespace hf::api {
namespace {

constexpr Duration kSoon = std::chrono::seconds(1);

ApiError server_error(std::string_view model, std::string_view what, Duration retry_after) {
  ApiError error;
  error.status = 502;
  error.code = "upstream_error";
  error.message = "the server of model \"" + std::string(model) + "\" " + std::string(what);
  error.retry_after = retry_after;
  return error;
}

}  // namespace

ApiError from_error_answer(const net::RelayResult& result, std::string_view model,
                           Dialect dialect) {
  ApiError error = from_upstream_error(result.status, result.error_body, model, dialect);
  const bool may_pass = result.status == 429 || result.status >= 500;
  if (may_pass && result.retry_after > Duration::zero()) {
    error.retry_after = result.retry_after;
  }
  return error;
}

ApiError from_broken_answer(const net::RelayResult& result, std::string_view model) {
  ApiError error;
  switch (result.flaw) {
    case net::Flaw::None:
      break;
    case net::Flaw::NoStream:
      error = server_error(model, "answered a streaming request with no stream", Duration::zero());
      error.hint = "send x-holdfast-heartbeat: off, or ask for no stream";
      return error;
    case net::Flaw::Unfit:
      return server_error(model, "sent an answer that cannot be used", Duration::zero());
  }
  if (result.response_started) {
    return upstream_crashed(model);
  }
  return server_error(
      model,
      result.end == net::RelayEnd::UpstreamRefused ? "takes no requests" : "broke off its answer",
      kSoon);
}

}  // namespace hf::api
