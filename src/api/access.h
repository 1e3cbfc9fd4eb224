#pragma once
// Who is calling: once users are configured, everything but what is open to all (the status of
// /health, /health/live, /) needs a key. Whether a browser was tricked into a request is another
// question: site.h. Loop thread; reads the configuration only.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/api_key.h"
#include "base/ids.h"
#include "config/config.h"
#include "net/exchange.h"

namespace hf::api {

struct Caller {
  UserId user{0};      // 0: nobody in particular
  std::string name{};  // for logs; "" without keys
  bool known = false;  // a valid key was sent, or none are configured
  config::Role role = config::Role::User;
  std::optional<int> max_active{};

  // Whether it may what `least` may.
  [[nodiscard]] bool is(config::Role least) const { return known && role >= least; }
};

class Access {
 public:
  explicit Access(const config::Config& config) { use(config); }
  // From now on these users count. A name keeps its UserId, so that what is counted for a user
  // stays that user's.
  void use(const config::Config& config);

  // From `Authorization: Bearer KEY` or `x-api-key: KEY`. Where both are sent, one good key is
  // enough: proxies put credentials of their own into the first, and SDKs send what is left in
  // their environment. Two good ones: the first counts. None: known is false, and how long the
  // answer took does not depend on how near a key came.
  [[nodiscard]] Caller identify(const net::RequestHead& head) const;

  // Everybody there has been, by name.
  [[nodiscard]] const std::map<std::string, UserId>& users() const { return ids_; }

 private:
  struct Known {
    KeyHash hash{};
    Caller caller;
  };
  [[nodiscard]] const Known* find(std::string_view key) const;

  std::vector<Known> known_;
  std::map<std::string, UserId> ids_;  // of every user there has been, from 1
};

}  // namespace hf::api
