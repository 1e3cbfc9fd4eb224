#pragma once
// The client's side of one connection: its socket, plain or encrypted, what it sent that nobody has
// consumed yet, one deadline, and the ways to end it. Why it exists: the reader, the waiting
// exchange and the relay all use the same socket, and the client's leaving must be noticed in each
// of those phases. Every wait is for the socket alone, so that what is cancelled can be gone on
// with in either case. Loop thread.

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "net/alarm.h"
#include "net/asio.h"
#include "net/stall_watch.h"
#include "net/tls_channel.h"

namespace hf::net {

class ClientConnection {
 public:
  explicit ClientConnection(Tcp::socket socket);

  [[nodiscard]] const std::string& peer() const { return peer_; }
  [[nodiscard]] asio::any_io_executor executor() { return socket_.get_executor(); }

  // True if the client reached us by an address that only this machine has.
  [[nodiscard]] bool is_local() const;
  // Waits for the first byte that the client sends, and leaves it there.
  Task<error_code> peek_first(char& byte);
  // Agrees on a key; everything after it is encrypted. No error: done.
  Task<error_code> start_tls(std::shared_ptr<const TlsContext> context);

  // Bytes received and not consumed. The view ends with the next read.
  [[nodiscard]] std::string_view input() const;
  void consume(std::size_t count) { input_.consume(count); }

  // Appends at most `bytes_max` to input(). An error for the end of the stream and for a passed
  // deadline.
  Task<error_code> read_some(std::size_t bytes_max);
  // Waits until something can be read or the connection ended; allocates nothing meanwhile.
  Task<error_code> wait_input();

  // Returns when the client has closed (half-close counts) or reset, or when cancelled. What it
  // sends meanwhile (a pipelined request) is kept in input(), up to a bound; beyond it only a reset
  // is seen.
  Task<void> watch();

  // Writes all of it, as fast as the client takes it, however long that is; tells `stall` (may be
  // null) when it takes nothing. What was written is removed from the front of `rest`, so that a
  // cancelled write can be gone on with.
  Task<error_code> write(std::string_view& rest, StallWatch* stall);
  // The same, but gives up when the client takes nothing for `progress`.
  Task<error_code> write_within(std::string_view bytes, std::chrono::seconds progress);

  // From now on (or no more) the connection fails when the client's machine acknowledges nothing of
  // what was sent for about as long as a silent one is waited for. Not for answers that somebody
  // may read as slowly as he likes: the kernel counts a reader who has stopped reading too.
  void give_up_unacknowledged(bool on);

  // When it passes, what is pending on the socket fails. Replaces the one before.
  void set_deadline(std::chrono::steady_clock::duration after);
  void clear_deadline() { deadline_.clear(); }

  // What was sent is not all there should be: an encrypted connection then ends as a cut one does,
  // without the good-bye that makes an end trustworthy.
  void withhold_goodbye() { goodbye_ = false; }
  // Says good-bye as far as the socket takes it now: before close(), when nothing is under way.
  void say_goodbye();

  // Says that nothing more will be sent; reading goes on.
  void shut_send();
  // Cancels what is pending.
  void cancel();
  // Cuts: pending operations fail, later ones too.
  void close();
  // Closes so that the client sees a reset, never a clean end.
  void reset();
  // Says good-bye, then reads and drops what still comes for a bounded time, so that the client can
  // read our answer (bytes unread at close() would reset the connection and destroy it; RFC 9112
  // §9.6).
  Task<void> linger();

 private:
  // Appends what is there now, at most `bytes_max`, to input(). would_block: nothing for now.
  error_code receive_now(std::size_t bytes_max);
  // Writes what the socket takes now and removes it from `bytes`. No error: it takes no more for
  // now.
  error_code write_now(std::string_view& bytes, std::size_t& count);
  // Bytes that a write took and the socket has not.
  [[nodiscard]] bool has_unsent() const { return tls_ != nullptr && tls_->has_unsent(); }
  Task<error_code> wait(Tcp::socket::wait_type kind);
  Task<error_code> finish_tls();

  Tcp::socket socket_;
  std::shared_ptr<const TlsContext> context_;
  std::unique_ptr<TlsChannel> tls_;  // null: plain, or closed
  beast::flat_buffer input_;
  Alarm deadline_;
  std::string peer_;
  bool gives_up_unacknowledged_ = false;
  bool goodbye_ = true;
};

}  // namespace hf::net
