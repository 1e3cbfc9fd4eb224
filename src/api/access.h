#pragma once
// Who is calling, and whether a browser was tricked into it. Two separate questions: keys (once
// users are configured, everything but /health, /health/live and / needs one), and the Host and
// Origin headers (a web page must not be able to command a server on its visitor's machine: DNS
// rebinding, cross-site posts). Loop thread; reads the configuration only.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/errors.h"
#include "base/ids.h"
#include "config/config.h"
#include "net/exchange.h"

namespace hf::api {

struct Caller {
  UserId user{0};      // 0: nobody in particular
  std::string name{};  // for logs; "" without keys
  bool known = false;  // a valid key was sent, or none are configured
  bool admin = false;  // may unload, pin and clean up
  std::optional<int> max_active{};
};

class Access {
 public:
  // Borrows the configuration until the next use().
  explicit Access(const config::Config& config) { use(config); }
  // From now on this one counts. A name keeps its UserId, so that what is counted for a user stays
  // that user's.
  void use(const config::Config& config);

  // From `Authorization: Bearer KEY` or `x-api-key: KEY`. A missing or wrong key: known is false.
  [[nodiscard]] Caller identify(const net::RequestHead& head) const;

  // Without keys only: Host must be localhost, a loopback address or an address we listen on (any
  // numeric address when we listen on all of them); a missing one is fine (HTTP/1.0). With keys a
  // page has nothing to send that would let it in. An Origin on a request that changes state must
  // name the same host.
  [[nodiscard]] std::optional<ApiError> check_site(const net::RequestHead& head) const;

 private:
  [[nodiscard]] bool is_our_host(std::string_view host) const;

  const config::Config* config_ = nullptr;
  std::map<std::string, UserId> ids_;  // of every user there has been, from 1
};

// The host in "HOST", "HOST:PORT" or "[V6]:PORT", without brackets, in lower case.
std::string host_of(std::string_view authority);

}  // namespace hf::api
