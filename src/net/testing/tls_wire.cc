#include "net/testing/tls_wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/assert.h"

namespace hf::net::testing {
namespace {

constexpr timeval kWaitMax{10, 0};
constexpr long kDay = 86'400;

int connect_to(std::uint16_t port, int receive_buffer) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kWaitMax, sizeof(kWaitMax));
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kWaitMax, sizeof(kWaitMax));
  if (receive_buffer > 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int rc = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  HF_ASSERT(rc == 0, "connect to the server");
  return fd;
}

void write_pem(const std::filesystem::path& path, X509* certificate, EVP_PKEY* key) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  HF_ASSERT(file != nullptr, "a file of the test");
  if (certificate != nullptr) {
    HF_ASSERT(PEM_write_X509(file, certificate) == 1, "written");
  } else {
    HF_ASSERT(PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
              "written");
  }
  std::fclose(file);
  ::chmod(path.c_str(), 0600);
}

}  // namespace

TestCertificate::TestCertificate(const Options& options) {
  std::string pattern = std::filesystem::temp_directory_path() / "hf-tls-XXXXXX";
  HF_ASSERT(::mkdtemp(pattern.data()) != nullptr, "a folder of the test");
  folder_ = pattern;
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  HF_ASSERT(key != nullptr && certificate != nullptr, "OpenSSL works");
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -40 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate), options.days * kDay);
  X509_set_pubkey(certificate, key);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  if (!options.name.empty()) {
    const std::string value = "DNS:" + options.name + ",IP:127.0.0.1,IP:::1";
    X509_EXTENSION* names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, value.c_str());
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
  }
  HF_ASSERT(X509_sign(certificate, key, EVP_sha256()) > 0, "signed");
  write_pem(this->certificate(), certificate, nullptr);
  write_pem(this->key(), nullptr, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

TestCertificate::~TestCertificate() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::shared_ptr<const TlsContext> TestCertificate::load() const {
  auto context = TlsContext::load(certificate(), key());
  HF_ASSERT(context.has_value(), "a good certificate");
  return std::move(*context);
}

TlsWire::TlsWire(std::uint16_t port, int receive_buffer)
    : context_(SSL_CTX_new(TLS_client_method())), fd_(connect_to(port, receive_buffer)) {
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_CLIENT);
  ssl_ = SSL_new(context_);
  SSL_set_fd(ssl_, fd_);
}

TlsWire::~TlsWire() {
  close();
  SSL_free(ssl_);
  SSL_CTX_free(context_);
}

void TlsWire::offer(std::string_view protocols) {
  SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(protocols.data()),
                      static_cast<unsigned>(protocols.size()));
}

void TlsWire::speak_at_most(int version) {
  SSL_set_security_level(ssl_, 0);  // the old versions are to be refused by the server
  SSL_set_min_proto_version(ssl_, 0);
  SSL_set_max_proto_version(ssl_, version);
}

bool TlsWire::handshake() {
  return SSL_connect(ssl_) == 1;
}

std::string TlsWire::protocol() const {
  const unsigned char* data = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &data, &size);
  return {reinterpret_cast<const char*>(data), size};
}

int TlsWire::version() const {
  return SSL_version(ssl_);
}

bool TlsWire::was_resumed() const {
  return SSL_session_reused(ssl_) == 1;
}

ssl_session_st* TlsWire::session() const {
  return SSL_get0_session(ssl_);
}

void TlsWire::resume(ssl_session_st* session) {
  HF_ASSERT(SSL_set_session(ssl_, session) == 1, "a session");
}

bool TlsWire::send(std::string_view bytes) {
  return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) ==
         static_cast<int>(bytes.size());
}

bool TlsWire::send_raw(std::string_view bytes) {
  return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

bool TlsWire::fill() {
  std::array<char, 16384> piece{};
  errno = 0;
  const int count = SSL_read(ssl_, piece.data(), static_cast<int>(piece.size()));
  if (count > 0) {
    buffer_.append(piece.data(), static_cast<std::size_t>(count));
    return true;
  }
  HF_ASSERT(errno != EAGAIN && errno != EWOULDBLOCK, "nothing came in ten seconds");
  end_ = SSL_get_error(ssl_, count) == SSL_ERROR_ZERO_RETURN ? End::Goodbye : End::Cut;
  return false;
}

std::string TlsWire::read_exactly(std::size_t count) {
  while (buffer_.size() < count && fill()) {
  }
  std::string result = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return result;
}

std::string TlsWire::read_until(std::string_view mark) {
  std::size_t at = buffer_.find(mark);
  while (at == std::string::npos && fill()) {
    at = buffer_.find(mark);
  }
  return read_exactly(at == std::string::npos ? buffer_.size() : at + mark.size());
}

std::string TlsWire::read_to_end(End& end) {
  while (fill()) {
  }
  end = end_;
  return read_exactly(buffer_.size());
}

void TlsWire::update_keys() {
  HF_ASSERT(SSL_key_update(ssl_, SSL_KEY_UPDATE_REQUESTED) == 1, "TLS 1.3 only");
}

void TlsWire::say_goodbye() {
  SSL_shutdown(ssl_);
}

void TlsWire::shut_write() {
  ::shutdown(fd_, SHUT_WR);
}

void TlsWire::close() {
  if (fd_ >= 0) {
    ::close(fd_);
    fd_ = -1;
  }
}

}  // namespace hf::net::testing
