#include "net/wire.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "net/asio.h"

namespace hf::net {
namespace {

// RFC 9110 §7.6.1 and the proxy headers of old.
constexpr std::array<std::string_view, 9> kHopByHop = {"connection",
                                                       "keep-alive",
                                                       "proxy-authenticate",
                                                       "proxy-authorization",
                                                       "proxy-connection",
                                                       "te",
                                                       "trailer",
                                                       "transfer-encoding",
                                                       "upgrade"};
// Between the client and us; Content-Length is written anew.
constexpr std::array<std::string_view, 7> kRequestOnlyOurs = {
    "authorization", "x-api-key", "cookie", "host", "origin", "expect", "content-length"};
constexpr std::array<std::string_view, 2> kResponseOnlyOurs = {"server", "content-length"};

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::any_of(names.begin(), names.end(),
                     [name](std::string_view each) { return header_equals(name, each); });
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && header_equals(text.substr(0, prefix.size()), prefix);
}

bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

void append(std::string& out, std::string_view name, std::string_view value) {
  if (name.empty() || has_line_break(name) || has_line_break(value)) {
    return;  // somebody put a client's bytes in here unchecked: better no header than two
  }
  out.append(name).append(": ").append(value).append("\r\n");
}

// A target has no spaces and no control characters; what was put in here unchecked loses them.
void append_target(std::string& out, std::string_view target) {
  std::copy_if(target.begin(), target.end(), std::back_inserter(out),
               [](char c) { return static_cast<unsigned char>(c) > 0x20 && c != 0x7f; });
}

// Names that the Connection headers declare to be hop-by-hop.
std::vector<std::string> named_in_connection(const std::vector<Header>& headers) {
  std::vector<std::string> names;
  for (const Header& each : headers) {
    if (header_equals(each.name, "connection")) {
      for (const auto token : http::token_list{each.value}) {
        names.emplace_back(token.data(), token.size());
      }
    }
  }
  return names;
}

bool is_named(std::string_view name, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(),
                     [name](const std::string& each) { return header_equals(name, each); });
}

bool is_among(std::string_view name, const std::vector<Header>& headers) {
  return std::any_of(headers.begin(), headers.end(),
                     [name](const Header& each) { return header_equals(name, each.name); });
}

void append_status(std::string& out, int status, std::string_view reason) {
  out.append("HTTP/1.1 ").append(std::to_string(status)).append(" ");
  if (!has_line_break(reason)) {
    out.append(reason);
  }
  out.append("\r\n");
}

std::string_view upgrade_of(const std::vector<Header>& headers) {
  for (const Header& each : headers) {
    if (header_equals(each.name, "upgrade")) {
      return each.value;
    }
  }
  return {};
}

void append_connection(std::string& out, ReplyForm form) {
  if (!form.keep_alive) {
    append(out, "Connection", "close");
  } else if (form.http10) {
    append(out, "Connection", "keep-alive");
  }
}

}  // namespace

bool status_forbids_body(int status) {
  return status / 100 == 1 || status == 204 || status == 304;
}

std::string reply_header(const Reply& reply, ReplyForm form) {
  std::string out;
  const auto reason = http::obsolete_reason(static_cast<http::status>(reply.status));
  append_status(out, reply.status, {reason.data(), reason.size()});
  if (!status_forbids_body(reply.status)) {
    if (!reply.content_type.empty()) {
      append(out, "Content-Type", reply.content_type);
    }
    append(out, "Content-Length", std::to_string(reply.body.size()));
  }
  for (const Header& each : reply.headers) {
    append(out, each.name, each.value);
  }
  append_connection(out, form);
  return out.append("\r\n");
}

std::string stream_header(const StreamHead& head, ReplyForm form) {
  std::string out;
  append_status(out, 200, "OK");
  append(out, "Content-Type", head.content_type);
  for (const Header& each : head.headers) {
    append(out, each.name, each.value);
  }
  if (form.http10) {
    form.keep_alive = false;
  } else {
    append(out, "Transfer-Encoding", "chunked");
  }
  append_connection(out, form);
  return out.append("\r\n");
}

std::string upstream_request_header(const RequestHead& head, std::size_t body_bytes,
                                    const UpstreamForm& form) {
  const std::string& method = form.request != nullptr ? form.request->method : head.method;
  const std::string& target = form.request != nullptr ? form.request->target : head.target;
  std::string out = method + " ";
  append_target(out, target);
  out.append(" HTTP/1.1\r\n");
  append(out, "Host", "localhost");
  const std::vector<std::string> named = named_in_connection(head.headers);
  const bool has_body = body_bytes > 0;
  const bool has_own_type = has_body || form.request != nullptr;
  for (const Header& each : head.headers) {
    if (!is_one_of(each.name, kHopByHop) && !is_one_of(each.name, kRequestOnlyOurs) &&
        !is_named(each.name, named) &&
        !(has_own_type && header_equals(each.name, "content-type")) &&
        !(form.plain && header_equals(each.name, "accept-encoding"))) {
      append(out, each.name, each.value);
    }
  }
  if (has_body) {
    // Curl calls any body a form, and the stock server takes only small forms.
    append(out, "Content-Type",
           form.request != nullptr ? form.request->content_type : "application/json");
  }
  if (has_body || (method != "GET" && method != "HEAD")) {
    append(out, "Content-Length", std::to_string(body_bytes));
  }
  if (form.plain) {
    append(out, "Accept-Encoding", "identity");
  }
  if (form.upgrade) {
    append(out, "Upgrade", head.header("upgrade"));
  }
  append(out, "Connection", form.upgrade ? "Upgrade" : "close");
  return out.append("\r\n");
}

std::string relayed_header(const RelayedHead& head, const std::vector<Header>& added,
                           ReplyForm form) {
  std::string out;
  append_status(out, head.status, head.reason);
  const std::vector<std::string> named = named_in_connection(head.headers);
  for (const Header& each : head.headers) {
    if (!is_one_of(each.name, kHopByHop) && !is_one_of(each.name, kResponseOnlyOurs) &&
        !starts_with_ignoring_case(each.name, "access-control-") && !is_named(each.name, named) &&
        !is_among(each.name, added)) {
      append(out, each.name, each.value);
    }
  }
  for (const Header& each : added) {
    append(out, each.name, each.value);
  }
  if (head.status == 101) {
    append(out, "Upgrade", upgrade_of(head.headers));
    append(out, "Connection", "Upgrade");
    return out.append("\r\n");
  }
  if (head.framing == BodyFraming::Chunked) {
    append(out, "Transfer-Encoding", "chunked");
  } else if (head.length && head.framing != BodyFraming::Close && head.status / 100 != 1 &&
             head.status != 204) {
    append(out, "Content-Length", std::to_string(*head.length));
  }
  append_connection(out, form);
  return out.append("\r\n");
}

}  // namespace hf::net
