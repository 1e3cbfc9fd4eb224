#include "api/access.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "api/digest.h"

namespace hf::api {
namespace {

std::string_view key_of(const net::RequestHead& head) {
  constexpr std::string_view kBearer = "bearer ";
  std::string_view value = head.header("authorization");
  if (value.size() > kBearer.size() &&
      net::header_equals(value.substr(0, kBearer.size()), kBearer)) {
    value.remove_prefix(kBearer.size());
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    return value;
  }
  return head.header("x-api-key");
}

bool is_numeric(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

bool is_loopback_host(const std::string& host) {
  return host == "localhost" ||
         (is_numeric(host) && config::is_loopback(config::SocketAddress{host, 0}));
}

ApiError forbidden(std::string code, std::string message) {
  ApiError error = bad_request(std::move(code), std::move(message));
  error.status = 403;
  return error;
}

}  // namespace

std::string host_of(std::string_view authority) {
  std::string_view host = authority;
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') == std::string_view::npos ? 0 : host.find(']') - 1);
  } else if (std::count(host.begin(), host.end(), ':') == 1) {
    host = host.substr(0, host.find(':'));
  }
  std::string lower(host);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

void Access::use(const config::Config& config) {
  config_ = &config;
  for (const config::UserConfig& user : config.users) {
    ids_.try_emplace(user.name, UserId(static_cast<std::uint32_t>(ids_.size() + 1)));
  }
}

Caller Access::identify(const net::RequestHead& head) const {
  Caller caller;
  if (config_->users.empty()) {
    caller.known = true;
    caller.admin = true;
    return caller;
  }
  const std::string_view key = key_of(head);
  if (key.empty()) {
    return caller;
  }
  const std::string digest = sha256_hex(key);
  for (const config::UserConfig& user : config_->users) {
    if (!digest.empty() && user.key_sha256 == digest) {
      caller.user = ids_.at(user.name);
      caller.name = user.name;
      caller.known = true;
      caller.admin = user.role == config::Role::Admin;
      caller.max_active = user.max_active;
      return caller;
    }
  }
  return caller;
}

bool Access::is_our_host(std::string_view authority) const {
  const std::string host = host_of(authority);
  if (is_loopback_host(host)) {
    return true;
  }
  return std::any_of(config_->listen.begin(), config_->listen.end(),
                     [&host](const config::SocketAddress& address) {
                       const bool all = address.ip == "0.0.0.0" || address.ip == "::";
                       return address.ip == host || (all && is_numeric(host));
                     });
}

std::optional<ApiError> Access::check_site(const net::RequestHead& head) const {
  const std::string_view host = head.header("host");
  if (config_->users.empty() && !host.empty() && !is_our_host(host)) {
    ApiError error = forbidden("wrong_host", "this server does not answer to that host name");
    error.hint = "use localhost or the address it listens on";
    return error;
  }
  const std::string_view origin = head.header("origin");
  // A WebSocket is more than a look, and browsers let every page open one anywhere.
  const bool reads = (head.method == "GET" && !net::wants_upgrade(head)) ||
                     head.method == "HEAD" || head.method == "OPTIONS";
  if (reads || origin.empty()) {
    return std::nullopt;
  }
  const std::size_t scheme = origin.find("://");
  const std::string_view authority =
      scheme == std::string_view::npos ? std::string_view() : origin.substr(scheme + 3);
  const std::string from = host_of(authority);
  // The two spellings of this machine are one site.
  const bool same = !from.empty() && (from == host_of(host) ||
                                      (is_loopback_host(from) && is_loopback_host(host_of(host))));
  if (same) {
    return std::nullopt;
  }
  return forbidden("cross_site", "requests from another site's pages are not accepted");
}

}  // namespace hf::api
