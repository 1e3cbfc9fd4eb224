#pragma once
// One relay: sends the request to a child's unix socket and streams its answer to the client as it
// comes. Why not Beast's own relay example: that batches small chunks (four tokens arrive as one).
// Every received piece is written at once, one downstream chunk for each read; at most 64 KiB are
// held. Three things run beside the transfer: a watch on the client, the abort signal, and the rest
// of the request body, because an upstream may answer before it has read it all. Loop thread.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/client_connection.h"
#include "net/exchange_state.h"
#include "net/request_head.h"
#include "net/stall_watch.h"
#include "net/wire.h"

namespace hf::net {

class Relay {
 public:
  // Borrows client and exchange; both outlive run(). The plan's on_done is the caller's to call.
  Relay(ClientConnection& client, ExchangeState& exchange, Framing request, const RelayPlan& plan,
        bool keep_alive);

  Task<RelayResult> run();

  // True if the connection can serve a further request. Requires run() to have returned.
  [[nodiscard]] bool reusable() const;
  // How the client must see the connection end if the answer broke.
  [[nodiscard]] BodyFraming framing() const { return framing_; }

 private:
  using Parser = http::response_parser<http::buffer_body>;

  Task<void> transfer();
  Task<void> send_request();
  Task<void> respond();
  Task<bool> read_head();
  Task<bool> fill();
  Task<bool> send_head();
  Task<void> stream_body();
  Task<bool> send_piece(std::size_t count, bool last);
  Task<void> finish_at_close();
  Task<void> send_error_event();

  bool parse_some_head(error_code& ec);
  std::size_t decode(error_code& ec);
  void fail_upstream();

  ClientConnection& client_;
  ExchangeState& exchange_;
  const Framing request_;
  const RelayPlan& plan_;
  const bool keep_alive_;
  const std::string request_header_;
  Unix::socket upstream_;
  beast::flat_buffer input_;
  std::optional<Parser> parser_;
  std::vector<char>
      piece_;  // room for a chunk's size line, decoded bytes, room for the closing chunk
  std::optional<StallWatch> stall_;
  BodyFraming framing_ = BodyFraming::None;
  std::string content_type_;
  std::string body_tail_;         // the last two bytes of the body so far
  bool between_pieces_ = true;    // false while a piece is only partly written
  bool upstream_closed_ = false;  // cleanly, as far as one can tell
  std::optional<RelayEnd> end_;   // set by the transfer if it came to an end by itself
  RelayResult result_;
};

}  // namespace hf::net
