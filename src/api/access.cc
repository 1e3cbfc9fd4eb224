#include "api/access.h"

#include <algorithm>

#include "base/assert.h"

namespace hf::api {
namespace {

std::string_view bearer_of(const net::RequestHead& head) {
  constexpr std::string_view kBearer = "bearer ";
  std::string_view value = head.header("authorization");
  if (value.size() <= kBearer.size() ||
      !net::header_equals(value.substr(0, kBearer.size()), kBearer)) {
    return {};
  }
  value.remove_prefix(kBearer.size());
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  return value;
}

}  // namespace

void Access::use(const config::Config& config) {
  known_.clear();
  for (const config::UserConfig& user : config.users) {
    const auto next = UserId(static_cast<std::uint32_t>(ids_.size() + 1));
    const UserId id = ids_.try_emplace(user.name, next).first->second;
    const std::optional<KeyHash> hash = key_hash_from_hex(user.key_sha256);
    HF_ASSERT(hash, "the configuration was checked");
    known_.push_back({*hash, Caller{id, user.name, true, user.role, user.max_active}});
  }
}

const Access::Known* Access::find(std::string_view key) const {
  if (key.empty()) {
    return nullptr;  // whatever hash somebody wrote down
  }
  const KeyHash hash = hash_of_key(key);
  const Known* found = nullptr;
  for (const Known& user : known_) {  // all of them, whichever it is
    found = same_hash(user.hash, hash) ? &user : found;
  }
  return found;
}

Caller Access::identify(const net::RequestHead& head) const {
  if (known_.empty()) {
    Caller anybody;
    anybody.known = true;
    anybody.role = config::Role::Admin;
    return anybody;
  }
  const Known* const by_bearer = find(bearer_of(head));
  const Known* const by_header = find(head.header("x-api-key"));
  const Known* const found = by_bearer != nullptr ? by_bearer : by_header;
  return found == nullptr ? Caller{} : found->caller;
}

}  // namespace hf::api
