#include "api/body_look.h"

#include <memory>
#include <optional>
#include <utility>

#include "api/active_request.h"
#include "api/errors.h"
#include "api/transport_errors.h"

namespace hf::api {
namespace {

// Takes less than 10 ms, whatever it holds.
constexpr std::size_t kQuickBytes = 512 * 1024;

void look_beside_loop(Context& context, const Call& call, ReadBody read, Looked next) {
  const std::string_view body = call.exchange->body();
  const auto found = std::make_shared<std::optional<net::BodyResult>>();
  do_beside_loop(
      context, call, body.size(), [found, body, read = std::move(read)] { *found = read(body); },
      [found, call, next = std::move(next)] {
        if (!*found) {
          return call.refuse(from_unfit(net::Unfit::NoMemory, ""));
        }
        next(call, **found);
      });
}

}  // namespace

void look_at_body(Context& context, Call call, ReadBody read, Looked next) {
  const std::string_view body = call.exchange->body();
  if (body.size() <= kQuickBytes) {
    const net::BodyResult found = read(body);
    return next(std::move(call), found);
  }
  count_call(context, std::move(call),
             [&context, read = std::move(read), next = std::move(next)](const Call& counted) {
               look_beside_loop(context, counted, read, next);
             });
}

}  // namespace hf::api
