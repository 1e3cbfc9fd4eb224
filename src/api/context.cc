#include "api/context.h"

#include <utility>

namespace hf::api {

net::Reply json_reply(int status, std::string json, const std::string& request_id) {
  net::Reply reply;
  reply.status = status;
  reply.body = std::move(json);
  reply.body += '\n';  // kind to terminals
  reply.headers.push_back(net::Header{"x-request-id", request_id});
  return reply;
}

std::string Call::who() const {
  return caller.name.empty() ? exchange->head().peer : caller.name;
}

void Call::answer(int status, std::string json) const {
  exchange->reply(json_reply(status, std::move(json), request_id));
}

void Call::refuse(const ApiError& error) const {
  exchange->reply(error_reply(error, dialect, request_id));
}

}  // namespace hf::api
