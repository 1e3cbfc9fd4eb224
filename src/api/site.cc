#include "api/site.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "base/assert.h"

namespace hf::api {
namespace {

constexpr std::array<std::string_view, 2> kNamesOfContainers{"host.docker.internal",
                                                             "host.containers.internal"};
constexpr std::string_view kMethods = "GET, HEAD, POST, DELETE, OPTIONS";
// What OpenAI's, Anthropic's and Ollama's clients send, for a preflight that names nothing usable.
constexpr std::string_view kUsualHeaders =
    "authorization, content-type, x-api-key, x-request-id, anthropic-version, anthropic-beta, "
    "anthropic-dangerous-direct-browser-access";
// Long enough that a chat asks once, short enough that a changed configuration counts soon.
constexpr std::string_view kPreflightSeconds = "600";
constexpr std::size_t kLongestHeaderList = 4096;

bool is_numeric(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

bool is_loopback_host(const std::string& host) {
  return host == "localhost" ||
         (is_numeric(host) && config::is_loopback(config::SocketAddress{host, 0}));
}

ApiError forbidden(std::string code, std::string message, std::string hint) {
  ApiError error = bad_request(std::move(code), std::move(message));
  error.status = 403;
  error.hint = std::move(hint);
  return error;
}

bool asks_leave(const net::RequestHead& head) {
  return head.method == "OPTIONS" && !head.header("access-control-request-method").empty();
}

// A page may send it wherever it likes and must not read the answer, which the browser sees to.
bool only_reads(const net::RequestHead& head) {
  const bool reads = head.method == "GET" || head.method == "HEAD" || head.method == "OPTIONS";
  return reads && !asks_leave(head) && head.header("upgrade").empty();
}

// A list of names as a browser writes one; anything else is not repeated in an answer.
bool is_header_list(std::string_view text) {
  return !text.empty() && text.size() <= kLongestHeaderList &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == ',' || c == ' ';
         });
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

void Site::use(const config::Config& config) {
  config_ = &config;
  origins_.clear();
  for (const std::string& text : config.cors_origins) {
    auto pattern = config::parse_origin_pattern(text);
    HF_ASSERT(pattern.has_value(), "the configuration was checked");
    origins_.push_back(std::move(*pattern));
  }
}

bool Site::is_our_host(std::string_view authority) const {
  const std::string host = host_of(authority);
  const auto& more = config_->allowed_hosts;
  if (is_loopback_host(host) || std::find(more.begin(), more.end(), host) != more.end() ||
      std::find(kNamesOfContainers.begin(), kNamesOfContainers.end(), host) !=
          kNamesOfContainers.end()) {
    return true;
  }
  return std::any_of(config_->listen.begin(), config_->listen.end(),
                     [&host](const config::SocketAddress& address) {
                       const bool all = address.ip == "0.0.0.0" || address.ip == "::";
                       return address.ip == host || (all && is_numeric(host));
                     });
}

bool Site::is_allowed_origin(std::string_view text) const {
  const std::optional<config::Origin> origin = config::parse_origin(text);
  return std::any_of(origins_.begin(), origins_.end(), [&](const config::OriginPattern& pattern) {
    return pattern.any || (origin && config::matches(pattern, *origin));
  });
}

std::optional<ApiError> Site::check(const net::RequestHead& head) const {
  const std::string_view host = head.header("host");
  if (config_->users.empty() && !host.empty() && !is_our_host(host)) {
    return forbidden("wrong_host", "this server does not answer to that host name",
                     "use localhost or the address it listens on, or add the name to "
                     "allowed_hosts in its configuration");
  }
  const std::string_view origin = head.header("origin");
  if (origin.empty() || only_reads(head) || is_allowed_origin(origin)) {
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
  return forbidden("cross_site", "requests from another site's pages are not accepted",
                   "add the page's origin to cors_origins in the server's configuration");
}

std::optional<net::Reply> Site::preflight(const net::RequestHead& head) const {
  if (!asks_leave(head) || !is_allowed_origin(head.header("origin"))) {
    return std::nullopt;
  }
  net::Reply reply;
  reply.status = 204;
  const std::string_view wanted = head.header("access-control-request-headers");
  const std::string_view granted = is_header_list(wanted) ? wanted : kUsualHeaders;
  reply.headers = {{"Access-Control-Allow-Methods", std::string(kMethods)},
                   {"Access-Control-Allow-Headers", std::string(granted)},
                   {"Access-Control-Max-Age", std::string(kPreflightSeconds)}};
  if (head.header("access-control-request-private-network") == "true") {
    // From a public site to a server in a private network, which its administrator wants.
    reply.headers.push_back({"Access-Control-Allow-Private-Network", "true"});
  }
  return reply;
}

std::vector<net::Header> Site::headers(const net::RequestHead& head) const {
  if (origins_.empty()) {
    return {};
  }
  // For caches: another origin gets another answer.
  std::vector<net::Header> headers{{"Vary", "Origin"}};
  const std::string_view origin = head.header("origin");
  if (!origin.empty() && is_allowed_origin(origin)) {
    const bool any = std::any_of(origins_.begin(), origins_.end(),
                                 [](const config::OriginPattern& pattern) { return pattern.any; });
    headers.push_back({"Access-Control-Allow-Origin", any ? "*" : std::string(origin)});
    headers.push_back({"Access-Control-Expose-Headers", "*"});
  }
  return headers;
}

}  // namespace hf::api
