#include "api/transport_errors.h"

#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/units.h"

namespace hf::api {
namespace {

ApiError make(int status, const char* code, std::string message, std::string hint) {
  ApiError error;
  error.status = status;
  error.code = code;
  error.message = std::move(message);
  error.hint = std::move(hint);
  return error;
}

ApiError busy(const char* code, std::string message, const char* hint) {
  ApiError error = make(503, code, std::move(message), hint);
  error.retry_after = std::chrono::seconds(1);
  return error;
}

}  // namespace

ApiError body_too_large(std::uint64_t limit_bytes, std::string_view setting) {
  const Bytes limit(static_cast<std::int64_t>(limit_bytes));
  std::string hint = "send less in one request";
  if (!setting.empty()) {
    hint += ", or ask an administrator to raise " + std::string(setting);
  }
  ApiError error = make(413, "body_too_large", "the body is larger than " + format_bytes(limit),
                        std::move(hint));
  error.numbers = {{"limit_bytes", limit.count}};
  return error;
}

ApiError from_unfit(net::Unfit reason, std::string_view why) {
  switch (reason) {
    case net::Unfit::NotHttp:
      break;
    case net::Unfit::BodyStalled: {
      ApiError error = make(408, "body_stalled", "the body of the request stopped coming",
                            "send it again, whole");
      error.retry_after = std::chrono::seconds(1);
      return error;
    }
    case net::Unfit::NoMemory:
      return busy("no_memory", "the server has no memory for this request now",
                  "try again, or send less in one request");
    case net::Unfit::TooManyBodies:
      return busy("server_busy", "the requests that are being served hold too much memory now",
                  "try again after Retry-After; small requests are still taken");
    case net::Unfit::TooManyConnections:
      return busy("too_many_connections", "too many connections to this server are open",
                  "close those that are not needed, and try again");
  }
  return make(400, "malformed_request", "not an acceptable HTTP request: " + std::string(why), "");
}

}  // namespace hf::api
