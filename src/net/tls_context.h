#pragma once
// A certificate with its key, ready for connections. It exists apart from the connections because
// it is loaded, checked and replaced while they run: each keeps the one it began with. Any thread.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

struct ssl_ctx_st;

namespace hf::net {

struct CertificateFacts {
  std::vector<std::string> names;  // hosts and addresses it is for
  std::int64_t not_before_unix_s = 0;
  std::int64_t not_after_unix_s = 0;
  bool key_is_open = false;  // every user of this machine may read the key
};

class TlsContext {
 public:
  // Blocks for two small files. Errors: NotFound, PermissionDenied and Io of the files;
  // InvalidArgument (not what they should be, an encrypted key, a key of another certificate). They
  // begin with the setting, "tls.key: …", and name no path.
  static Result<std::shared_ptr<const TlsContext>> load(const std::filesystem::path& certificate,
                                                        const std::filesystem::path& key);
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  ~TlsContext();

  [[nodiscard]] const CertificateFacts& facts() const { return facts_; }
  [[nodiscard]] ssl_ctx_st* native() const { return context_; }

 private:
  TlsContext(ssl_ctx_st* context, CertificateFacts facts);

  ssl_ctx_st* context_;  // owned
  CertificateFacts facts_;
};

// "a.example, 10.0.0.1, until 2027-01-31", for the log.
std::string facts_text(const CertificateFacts& facts);

// What a person should do something about; a sentence each.
std::vector<std::string> certificate_warnings(const CertificateFacts& facts,
                                              std::int64_t now_unix_s);

}  // namespace hf::net
