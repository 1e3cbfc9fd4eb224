#include "net/tls_context.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <system_error>

#include "base/assert.h"

namespace hf::net {
namespace {

constexpr std::size_t kFileBytesMax = 1024 * 1024;  // a chain has some KiB
constexpr std::int64_t kDay = 86'400;
// Certificates of 90 days are usually renewed a month before their end: later is late.
constexpr std::int64_t kSoonDays = 14;
constexpr std::size_t kNamesShown = 5;
// Forward secrecy and authenticated encryption only; those of TLS 1.3 are all good.
constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr std::array<unsigned char, 9> kHttp11{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

template <class T, void (*Free)(T*)>
struct Freed {
  void operator()(T* object) const { Free(object); }
};
using Bio = std::unique_ptr<BIO, Freed<BIO, BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freed<X509, X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX, SSL_CTX_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES, GENERAL_NAMES_free>>;

tl::unexpected<Error> wrong(std::string text) {
  return fail(Errc::InvalidArgument, std::move(text));
}

// The library's own words for the last failure; its queue is empty afterwards.
std::string reason() {
  const char* text = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return text == nullptr ? "not understood" : text;
}

struct File {
  std::string text;
  bool is_open = false;
};

Result<File> read_file(const std::filesystem::path& path, const std::string& setting) {
  // Not a pipe that nobody writes to: that would be waited for.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    const int number = errno;
    const Errc code = number == ENOENT   ? Errc::NotFound
                      : number == EACCES ? Errc::PermissionDenied
                                         : Errc::Io;
    return fail(code,
                setting + ": the file cannot be read: " + std::generic_category().message(number),
                number);
  }
  File file;
  struct stat status {};
  const bool regular = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  file.is_open = (status.st_mode & S_IROTH) != 0;
  file.text.resize(kFileBytesMax);
  const ssize_t count = regular ? ::read(descriptor, file.text.data(), file.text.size()) : -1;
  ::close(descriptor);
  if (count < 0) {
    return fail(Errc::Io, setting + ": not a regular file that can be read");
  }
  file.text.resize(static_cast<std::size_t>(count));
  return file;
}

Bio memory_of(const std::string& text) {
  Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  HF_ASSERT(bio != nullptr, "no memory for a certificate");
  return bio;
}

Result<std::vector<Certificate>> parse_chain(const std::string& text) {
  const Bio bio = memory_of(text);
  std::vector<Certificate> chain;
  while (Certificate next{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    chain.push_back(std::move(next));
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string why = reason();
  if (!at_end) {
    return wrong("tls.certificate: a certificate in the file is damaged (" + why + ")");
  }
  if (chain.empty()) {
    return wrong(text.find("PRIVATE KEY-----") == std::string::npos
                     ? "tls.certificate: the file holds no certificate, expected one in PEM form "
                       "(-----BEGIN CERTIFICATE-----)"
                     : "tls.certificate: the file holds a key and no certificate, expected the "
                       "two files the other way round");
  }
  return chain;
}

Result<Key> parse_key(const std::string& text) {
  // Asked before the library is: it would want a passphrase.
  if (text.find("BEGIN ENCRYPTED PRIVATE KEY") != std::string::npos ||
      text.find("Proc-Type: 4,ENCRYPTED") != std::string::npos) {
    return wrong(
        "tls.key: the key is encrypted, and nobody is there to type its passphrase, expected a "
        "plain "
        "one (openssl pkey -in OLD.pem -out NEW.pem; chmod 600 NEW.pem)");
  }
  const auto no_passphrase = [](char*, int, int, void*) { return 0; };
  const Bio bio = memory_of(text);
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  const std::string why = reason();
  if (!key) {
    return wrong(text.find("PRIVATE KEY-----") == std::string::npos
                     ? "tls.key: the file holds no private key, expected one in PEM form "
                       "(-----BEGIN PRIVATE KEY-----)"
                     : "tls.key: the private key is damaged (" + why + ")");
  }
  return key;
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<std::int64_t>(::timegm(&parts)) : 0;
}

std::string address_text(const ASN1_OCTET_STRING* octets) {
  const unsigned char* bytes = ASN1_STRING_get0_data(octets);
  const int size = ASN1_STRING_length(octets);
  std::string text;
  for (int i = 0; i < size; ++i) {
    std::array<char, 8> piece{};
    const bool four = size == 4;
    std::snprintf(piece.data(), piece.size(), four ? "%s%u" : "%s%02x",
                  i == 0 || (!four && i % 2 == 1) ? "" : (four ? "." : ":"),
                  static_cast<unsigned>(bytes[i]));
    text += piece.data();
  }
  return text;
}

CertificateFacts facts_of(X509* certificate, bool key_is_open) {
  CertificateFacts facts;
  facts.not_before_unix_s = seconds_of(X509_get0_notBefore(certificate));
  facts.not_after_unix_s = seconds_of(X509_get0_notAfter(certificate));
  facts.key_is_open = key_is_open;
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
      facts.names.emplace_back(text, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    } else if (name->type == GEN_IPADD) {
      facts.names.push_back(address_text(name->d.iPAddress));
    }
  }
  return facts;
}

// Which certificate of the file belongs to the key; the first must.
Status check_pair(const std::vector<Certificate>& chain, EVP_PKEY* key) {
  const auto belongs = [key](const Certificate& certificate) {
    return X509_check_private_key(certificate.get(), key) == 1;
  };
  const auto found = std::find_if(chain.begin(), chain.end(), belongs);
  ERR_clear_error();
  if (found == chain.begin()) {
    return {};
  }
  return found == chain.end()
             ? wrong("tls.key: the key belongs to another certificate than tls.certificate")
             : wrong(
                   "tls.certificate: the server's own certificate must be the first in the file, "
                   "those of its authorities come behind it");
}

int select_http11(SSL*, const unsigned char** out, unsigned char* out_size,
                  const unsigned char* offered, unsigned int offered_size, void*) {
  unsigned char* chosen = nullptr;
  const int result = SSL_select_next_proto(&chosen, out_size, kHttp11.data(), kHttp11.size(),
                                           offered, offered_size);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void set_rules(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  HF_ASSERT(SSL_CTX_set_cipher_list(context, kCiphers) == 1, "the ciphers are known");
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  // Sessions are resumed by tickets, which the clients keep.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // A waiting connection keeps no buffers of 32 KiB.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_alpn_select_cb(context, select_http11, nullptr);
}

}  // namespace

TlsContext::TlsContext(SSL_CTX* context, CertificateFacts facts)
    : context_(context), facts_(std::move(facts)) {}

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::load(
    const std::filesystem::path& certificate_path, const std::filesystem::path& key_path) {
  const auto certificate_file = read_file(certificate_path, "tls.certificate");
  if (!certificate_file) {
    return fail(certificate_file.error());
  }
  const auto key_file = read_file(key_path, "tls.key");
  if (!key_file) {
    return fail(key_file.error());
  }
  const auto chain = parse_chain(certificate_file->text);
  if (!chain) {
    return fail(chain.error());
  }
  const auto key = parse_key(key_file->text);
  if (!key) {
    return fail(key.error());
  }
  if (Status pair = check_pair(*chain, key->get()); !pair) {
    return fail(std::move(pair.error()));
  }
  Context context(SSL_CTX_new(TLS_server_method()));
  HF_ASSERT(context != nullptr, "no memory for TLS");
  set_rules(context.get());
  if (SSL_CTX_use_certificate(context.get(), chain->front().get()) != 1) {
    return wrong("tls.certificate: the certificate cannot be used (" + reason() + ")");
  }
  for (std::size_t i = 1; i < chain->size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context.get(), (*chain)[i].get()) != 1) {
      return wrong("tls.certificate: certificate " + std::to_string(i + 1) +
                   " of the file cannot be used (" + reason() + ")");
    }
  }
  if (SSL_CTX_use_PrivateKey(context.get(), key->get()) != 1) {
    return wrong("tls.key: the key cannot be used (" + reason() + ")");
  }
  CertificateFacts facts = facts_of(chain->front().get(), key_file->is_open);
  return std::shared_ptr<const TlsContext>(new TlsContext(context.release(), std::move(facts)));
}

std::string facts_text(const CertificateFacts& facts) {
  std::string text;
  for (std::size_t i = 0; i < facts.names.size() && i < kNamesShown; ++i) {
    text += (i == 0 ? "" : ", ") + facts.names[i];
  }
  if (facts.names.size() > kNamesShown) {
    text += " and " + std::to_string(facts.names.size() - kNamesShown) + " more";
  }
  const std::time_t end = static_cast<std::time_t>(facts.not_after_unix_s);
  std::tm parts{};
  std::array<char, 16> day{};
  ::gmtime_r(&end, &parts);
  std::strftime(day.data(), day.size(), "%Y-%m-%d", &parts);
  return (text.empty() ? "no name" : text) + ", until " + day.data();
}

std::vector<std::string> certificate_warnings(const CertificateFacts& facts,
                                              std::int64_t now_unix_s) {
  std::vector<std::string> warnings;
  const std::int64_t left = facts.not_after_unix_s - now_unix_s;
  if (left < 0) {
    warnings.emplace_back("tls.certificate: the certificate has expired; clients refuse it");
  } else if (left < kSoonDays * kDay) {
    const std::int64_t days = left / kDay + (left % kDay > 0 ? 1 : 0);
    warnings.push_back("tls.certificate: the certificate expires within " + std::to_string(days) +
                       (days == 1 ? " day" : " days") + "; renew it, then reload");
  }
  if (facts.not_before_unix_s > now_unix_s) {
    warnings.emplace_back("tls.certificate: the certificate is not valid yet; is the clock right?");
  }
  if (facts.names.empty()) {
    warnings.emplace_back(
        "tls.certificate: the certificate names no host (subjectAltName); clients refuse it");
  }
  if (facts.key_is_open) {
    warnings.emplace_back("tls.key: every user of this machine may read the key; chmod 600 it");
  }
  return warnings;
}

}  // namespace hf::net
