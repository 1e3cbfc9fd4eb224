#pragma once
// TLS over one non-blocking socket, in steps that never wait: each takes what is there and says
// would_block, like the socket's own calls. Why not Asio's stream: its operations lose bytes when
// they are cancelled, and here a write is cancelled and gone on with, and a watch is cancelled for
// every answer. Waiting is the caller's: for would_block of a read until the socket can be read,
// for has_unsent() until it can be written. Loop thread.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/asio.h"
#include "net/tls_context.h"

struct ssl_st;

namespace hf::net {

class TlsChannel {
 public:
  // Borrows the descriptor, which outlives it. Keeps what it needs of the context.
  TlsChannel(const TlsContext& context, int descriptor);
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;
  ~TlsChannel();

  // No error: both sides have agreed.
  error_code handshake();
  // eof after the other side's good-bye; any other error, a stream that just ended included, means
  // that what came may not be all of it.
  error_code read_some(std::span<char> room, std::size_t& count);
  // Bytes have come and wait inside: a read gives more without the socket.
  [[nodiscard]] bool has_received() const;

  // Takes a piece of `bytes` (at most one record) if nothing is left to be sent, removes it from
  // the front, and sends what the socket takes; `count`: how many bytes that were, encrypted. What
  // was taken is part of the stream, and is sent by a later call if not by this one.
  error_code write_some(std::string_view& bytes, std::size_t& count);
  [[nodiscard]] bool has_unsent() const { return sent_ < outgoing_.size(); }
  // Ends the stream as it should end, once what is unsent has left.
  error_code say_goodbye();

 private:
  error_code flush(std::size_t& count);
  error_code error_of(int result);
  void collect();

  ssl_st* ssl_;  // owned
  int descriptor_;
  std::string outgoing_;  // encrypted
  std::size_t sent_ = 0;  // of it
  bool broken_ = false;   // nothing may be said any more
  bool said_goodbye_ = false;
};

}  // namespace hf::net
