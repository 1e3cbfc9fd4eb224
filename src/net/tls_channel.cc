#include "net/tls_channel.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/assert.h"

namespace hf::net {
namespace {

constexpr std::size_t kRecordBytes = 16 * 1024;  // what one record holds
constexpr std::size_t kKeptCapacity = 2 * kRecordBytes;
// A record, or a handshake with a long chain, and some answers to wishes for new keys. More comes
// only of somebody who wishes on and on and reads nothing.
constexpr std::size_t kUnsentMax = 256 * 1024;

}  // namespace

TlsChannel::TlsChannel(const TlsContext& context, int descriptor)
    : ssl_(SSL_new(context.native())), descriptor_(descriptor) {
  // Received bytes are read from the socket itself; those to send are kept here until it takes
  // them, because the library's own writes must be repeated with the same bytes.
  BIO* in = BIO_new_socket(descriptor, BIO_NOCLOSE);
  BIO* out = BIO_new(BIO_s_mem());
  HF_ASSERT(ssl_ != nullptr && in != nullptr && out != nullptr, "no memory for a connection");
  SSL_set_bio(ssl_, in, out);
  SSL_set_accept_state(ssl_);
}

TlsChannel::~TlsChannel() {
  SSL_free(ssl_);
}

// Takes over what the library wants to be sent.
void TlsChannel::collect() {
  BIO* out = SSL_get_wbio(ssl_);
  const std::size_t pending = BIO_ctrl_pending(out);
  if (pending == 0) {
    return;
  }
  outgoing_.erase(0, sent_);
  sent_ = 0;
  const std::size_t before = outgoing_.size();
  outgoing_.resize(before + pending);
  const int count = BIO_read(out, outgoing_.data() + before, static_cast<int>(pending));
  HF_ASSERT(count == static_cast<int>(pending), "memory gives what it has");
}

error_code TlsChannel::flush(std::size_t& count) {
  collect();
  while (has_unsent()) {
    const ssize_t sent = ::send(descriptor_, outgoing_.data() + sent_, outgoing_.size() - sent_,
                                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      sent_ += static_cast<std::size_t>(sent);
      count += static_cast<std::size_t>(sent);
      continue;
    }
    if (errno == EINTR) {
      continue;
    }
    const bool full = errno == EAGAIN || errno == EWOULDBLOCK;
    if (full && outgoing_.size() - sent_ <= kUnsentMax) {
      return {};
    }
    broken_ = true;
    return full ? error_code(asio::error::no_buffer_space)
                : error_code(errno, boost::system::system_category());
  }
  outgoing_.clear();
  sent_ = 0;
  if (outgoing_.capacity() > kKeptCapacity) {
    outgoing_.shrink_to_fit();
  }
  return {};
}

error_code TlsChannel::error_of(int result) {
  const int number = errno;
  const int kind = SSL_get_error(ssl_, result);
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) {
    return asio::error::would_block;
  }
  if (kind == SSL_ERROR_ZERO_RETURN) {
    return asio::error::eof;
  }
  broken_ = true;
  ERR_clear_error();
  // A stream that ends without a good-bye was cut, whatever the socket says.
  return kind == SSL_ERROR_SYSCALL && number != 0
             ? error_code(number, boost::system::system_category())
             : error_code(asio::error::connection_reset);
}

error_code TlsChannel::handshake() {
  ERR_clear_error();
  errno = 0;
  const int result = SSL_do_handshake(ssl_);
  const error_code ec = result == 1 ? error_code() : error_of(result);
  // An alert says why it came to nothing.
  std::size_t count = 0;
  const error_code sent = flush(count);
  return ec ? ec : sent;
}

error_code TlsChannel::read_some(std::span<char> room, std::size_t& count) {
  count = 0;
  if (broken_) {
    return asio::error::connection_reset;
  }
  ERR_clear_error();
  errno = 0;
  const int result = SSL_read_ex(ssl_, room.data(), room.size(), &count);
  const error_code ec = result == 1 ? error_code() : error_of(result);
  // Reading may have something to answer (new keys); what the socket does not take goes with the
  // next write.
  std::size_t sent = 0;
  [[maybe_unused]] const error_code ignored = flush(sent);
  return ec;
}

bool TlsChannel::has_received() const {
  return SSL_has_pending(ssl_) == 1;
}

error_code TlsChannel::write_some(std::string_view& bytes, std::size_t& count) {
  count = 0;
  if (broken_ || said_goodbye_) {
    return asio::error::broken_pipe;
  }
  if (const error_code ec = flush(count)) {
    return ec;
  }
  if (has_unsent() || bytes.empty()) {
    return {};
  }
  ERR_clear_error();
  errno = 0;
  std::size_t taken = 0;
  const int result = SSL_write_ex(ssl_, bytes.data(), std::min(bytes.size(), kRecordBytes), &taken);
  if (result != 1) {
    // Memory takes everything, so there is nothing to wait for.
    const error_code ec = error_of(result);
    broken_ = true;
    return ec == asio::error::would_block ? error_code(asio::error::broken_pipe) : ec;
  }
  bytes.remove_prefix(taken);
  return flush(count);
}

error_code TlsChannel::say_goodbye() {
  if (!broken_ && !said_goodbye_ && SSL_is_init_finished(ssl_) == 1) {
    said_goodbye_ = true;
    ERR_clear_error();
    if (SSL_shutdown(ssl_) < 0) {
      ERR_clear_error();
    }
  }
  std::size_t count = 0;
  return broken_ ? error_code(asio::error::broken_pipe) : flush(count);
}

}  // namespace hf::net
