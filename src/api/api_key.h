#pragma once
// API keys: how they are made, hashed and compared. A key is 256 random bits, so that a plain
// SHA-256 of it cannot be guessed and needs neither salt nor a slow hash; only the hash is ever
// stored. Any thread.

#include <optional>
#include <string>
#include <string_view>

#include "api/digest.h"
#include "base/result.h"

namespace hf::api {

using KeyHash = Sha256;

// "holdfast_" and 43 letters, digits, '-' and '_'. The prefix lets scanners for leaked secrets find
// it. Errors: Unavailable: the kernel gives no random bytes.
Result<std::string> new_api_key();

KeyHash hash_of_key(std::string_view key);
// As to_hex() writes it, in a file; nullopt: it is something else.
std::optional<KeyHash> key_hash_from_hex(std::string_view hex);
// Takes the same time wherever they differ.
bool same_hash(const KeyHash& a, const KeyHash& b);

}  // namespace hf::api
