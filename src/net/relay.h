#pragma once
// One relay: sends the request to a child's socket and streams its answer to the client as it
// comes. Why not Beast's own relay example: that batches small chunks (four tokens arrive as one).
// Every received piece is written at once, one downstream chunk for each read; at most 64 KiB are
// held. Beside the transfer run a watch on the client, the abort signal, the pump of an answer that
// began before its content, and the rest of the request body, because an upstream may answer before
// it has read it all. The answer to the client begins with the first byte there is for it; until
// then a relay that fails leaves the exchange open. Loop thread.

#include <memory>
#include <optional>
#include <string>

#include "net/client_connection.h"
#include "net/exchange_state.h"
#include "net/request_head.h"
#include "net/stall_watch.h"
#include "net/translator.h"
#include "net/upstream_connect.h"
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
  // True if only a reset shows the client that what it got is not the whole answer.
  [[nodiscard]] bool must_reset() const;

 private:
  using Parser = http::response_parser<http::buffer_body>;

  // A part that throws is an upstream that failed.
  Task<void> guard(Task<void> part);
  Task<void> transfer();
  Task<void> send_request();
  Task<void> respond();
  Task<bool> read_head();
  Task<bool> fill();
  Task<void> collect_error();
  Task<bool> begin_answer(bool whole);
  Task<bool> send_head();
  Task<void> switch_protocols();
  Task<void> talk();
  Task<void> stream_body();
  Task<bool> send_content(bool last);
  Task<void> finish_at_close();
  Task<void> send_error_event();

  bool parse_some_head(error_code& ec);
  Flaw take_head();
  std::size_t decode(error_code& ec);
  bool take_content(std::size_t count, bool last);
  void fail_upstream(Flaw flaw = Flaw::None);
  void note_sent(std::string_view content);

  ClientConnection& client_;
  ExchangeState& exchange_;
  const Framing request_;
  const RelayPlan& plan_;
  const bool keep_alive_;
  const bool upgrade_;
  UpstreamSocket upstream_;
  beast::flat_buffer input_;
  std::optional<Parser> parser_;
  // Decoded bytes and what a translator made of them, each with room for a chunk's framing.
  std::string piece_;
  std::string translated_;
  char* content_ = nullptr;  // in one of the two: what goes to the client next
  std::size_t content_size_ = 0;
  std::optional<StallWatch> stall_;
  RelayedHead head_;
  BodyFraming framing_ = BodyFraming::None;
  std::string content_type_;      // of what the client gets
  std::string body_tail_;         // the last two bytes of the body so far
  bool between_pieces_ = true;    // false while a piece is only partly written
  bool upstream_spoke_ = false;   // at least one byte came
  bool upstream_closed_ = false;  // cleanly, as far as one can tell
  bool switched_ = false;         // a 101 has left: no HTTP any more
  bool whole_ = false;            // what followed it came to its end
  std::optional<RelayEnd> end_;   // set by the transfer if it came to an end by itself
  RelayResult result_;
};

}  // namespace hf::net
