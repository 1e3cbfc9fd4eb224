#pragma once
// An answer that begins before its content is there: its head, then small pieces (heartbeats) until
// the upstream's first byte takes over or the answer is broken off. Why it exists: the service
// writes whenever its timers say so, and what it writes must neither wait for a slow client, nor
// pile up, nor get between a half-written piece and its rest. Pieces are sent by a pump that the
// session or the relay runs beside its own work; a pump that is cancelled in the middle of a piece
// leaves the rest to the next one. Loop thread.

#include <string>
#include <string_view>

#include "net/client_connection.h"
#include "net/exchange.h"
#include "net/signal.h"
#include "net/wire.h"

namespace hf::net {

// How an answer that began early ends without an upstream's.
struct StreamEnd {
  std::string text;    // the last that is said
  bool whole = false;  // a finished answer; else one that must look cut
};

class EarlyStream {
 public:
  // `form`: of the request that is answered.
  EarlyStream(const asio::any_io_executor& executor, ReplyForm form);
  EarlyStream(const EarlyStream&) = delete;
  EarlyStream& operator=(const EarlyStream&) = delete;

  // The service's side, at any time. Requires for start(): neither started nor closed.
  void start(const StreamHead& head);
  // Dropped while an earlier piece waits for the client to take it, before start() and when closed.
  void offer(std::string_view piece);
  // What starts from now on is ignored by offer(): another answer has begun.
  void close() { closed_ = true; }

  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] const std::string& content_type() const { return content_type_; }
  [[nodiscard]] BodyFraming framing() const {
    return form_.http10 ? BodyFraming::Close : BodyFraming::Chunked;
  }

  // Sends what is offered; returns when the client is gone or when cancelled. `stall` is told when
  // the client takes nothing; null while no relay runs: then a client that does not even
  // acknowledge is given up after a while, because a dead one would keep its place in the queue.
  Task<void> pump(ClientConnection& client, StallWatch* stall);
  // Closes when all has left. Requires a pump beside it. False: cancelled, it goes on as before.
  Task<bool> drain();
  // Sends what waits and the end, for a bounded time; false: not all of it left. Nothing follows.
  // Behind an end that is not whole the caller ends the connection so that the answer looks cut.
  // `end` must outlive the task.
  Task<bool> end(ClientConnection& client, const StreamEnd& end);

 private:
  [[nodiscard]] std::string framed(std::string_view piece) const;
  [[nodiscard]] bool has_left() const { return rest_.empty() && waiting_.empty(); }

  const ReplyForm form_;
  Signal offered_;
  Signal left_;
  std::string content_type_;
  std::string waiting_;    // framed, not begun to be written
  std::string writing_;    // framed, partly written
  std::string_view rest_;  // of writing_
  bool started_ = false;
  bool draining_ = false;
  bool closed_ = false;
};

}  // namespace hf::net
