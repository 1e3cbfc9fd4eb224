#pragma once
// Header blocks as text: our own replies, the request as an upstream gets it, an upstream's answer
// as the client gets it. Nothing that could end a header early gets in. Pure, any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/exchange.h"

namespace hf::net {

struct ReplyForm {
  bool http10 = false;
  bool keep_alive = true;
};
std::string reply_header(const Reply& reply, ReplyForm form);

// True for statuses that never have a body (RFC 9110 §6.4.1).
bool status_forbids_body(int status);

// The head of an answer that begins before its content: 200, chunked or until the connection
// closes.
std::string stream_header(const StreamHead& head, ReplyForm form);

struct UpstreamForm {
  const UpstreamRequest* request = nullptr;  // in place of the client's own; null: as it sent it
  bool plain = false;    // whatever the client accepts, this answer must not come compressed
  bool upgrade = false;  // passes the client's wish for another protocol on
};
// Same method and target; without hop-by-hop headers (those named in Connection too) and without
// what is between the client and us only: credentials, cookies, Host, Origin, Expect. A body is
// declared to be JSON whatever the client called it (only checked JSON is passed on), unless the
// form's request says another type.
std::string upstream_request_header(const RequestHead& head, std::size_t body_bytes,
                                    const UpstreamForm& form = {});

// How the body of a relayed answer is delimited towards the client.
enum class BodyFraming { None, Length, Chunked, Close };

struct RelayedHead {
  int status = 200;
  std::string reason;
  std::vector<Header> headers;          // the upstream's
  std::optional<std::uint64_t> length;  // its Content-Length; kept for None and Length
  BodyFraming framing = BodyFraming::Chunked;
};
// Drops hop-by-hop headers, CORS ones (ours to decide), Server, and those that `added` replaces. Of
// a 101 its Upgrade stays.
std::string relayed_header(const RelayedHead& head, const std::vector<Header>& added,
                           ReplyForm form);

}  // namespace hf::net
