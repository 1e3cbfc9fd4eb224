#pragma once
// The seam between the HTTP machinery (Beast, coroutines, sockets: all hidden in this folder) and
// the people who decide what a request means (api). A session reads one whole, size-checked request
// and hands the Service an Exchange; the Service answers it exactly once, now or later: with a
// Reply of its own or by relaying an upstream's answer. Everything here runs on the one loop
// thread; callbacks are called from the loop, never from inside the call that registered them.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hf::net {

class Translator;  // net/translator.h

struct Header {
  std::string name;  // as sent; compare with header_equals()
  std::string value;
};

// The request line and header block, decoded but not interpreted.
struct RequestHead {
  std::string method;  // "GET", "POST", …
  std::string target;  // as sent: "/v1/x?y=1"; forwarded to an upstream byte for byte
  std::string path;    // percent-decoded part before '?'
  std::string query;   // raw part after '?', without it
  std::vector<Header> headers;
  std::string peer;                             // "127.0.0.1:40312", for logs
  std::optional<std::uint64_t> content_length;  // nullopt: none was sent (no body, or chunked)

  // Value of the first header of that name (ASCII case-insensitive), or empty.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<Header> headers;  // extra ones: Retry-After, x-request-id, …
  bool close = false;  // close the connection after it (always done on 400 framing and 413)
};

// Why a relay ended.
enum class RelayEnd {
  Complete,         // the upstream's whole answer has left our buffer
  ClientGone,       // the reader closed or reset; the upstream connection was closed at once
  UpstreamRefused,  // could not connect, or it closed before one byte of a response: nothing was
                    // sent to the client, the Exchange is still open and must be answered
  UpstreamBroken,  // died mid-answer, or the answer has a Flaw: an error event (if the answer was a
                   // stream) and a broken transfer. If nothing of it was sent before that,
                   // response_started is false and the Exchange is still open
  UpstreamError,   // plan.collect_errors, and the upstream answered with a status of 400 or more:
                   // nothing of it was sent, status and error_body say what it was, the Exchange is
                   // still open
  Aborted,  // abort() was called; as UpstreamBroken for the client, or still open if not started
};

// What is wrong with an answer that its upstream did not break off.
enum class Flaw {
  None,
  NoStream,  // behind start_stream(): an answer of another media type
  Unfit,     // it is not HTTP, or not what it must be to be relayed or translated
};

struct RelayResult {
  RelayEnd end = RelayEnd::Complete;
  bool response_started = false;       // something of the upstream's answer was sent; false: the
                                       // Exchange must still be answered (or the client is gone)
  Flaw flaw = Flaw::None;              // of an UpstreamBroken
  int status = 0;                      // the upstream's status, 0 if none came
  std::uint64_t bytes_to_client = 0;   // of the body, without chunk lines
  std::string error_body;              // of an UpstreamError; cut at 64 KiB
  std::chrono::seconds retry_after{};  // of an UpstreamError, at most an hour; zero: none was sent
};

// What the upstream gets in place of the client's own request line and body.
struct UpstreamRequest {
  std::string method = "POST";
  std::string target;  // percent-encoded: "/v1/chat/completions"
  std::string content_type = "application/json";
  // Null: the client's, byte for byte. Shared, as it may be large and be needed once more.
  std::shared_ptr<const std::string> body;
};

// Text of a final error event for a stream that breaks ("data: {…}\n\n"); asked for only when the
// answer already started and is text/event-stream or NDJSON.
using StreamErrorText =
    std::function<std::string(const RelayResult& result, std::string_view content_type)>;

struct RelayPlan {
  std::string socket_path;                 // the child's unix socket, or
  std::uint16_t port = 0;                  // not 0: this port of 127.0.0.1 instead
  std::optional<UpstreamRequest> request;  // nullopt: as the client sent it
  // Null: byte for byte. With one, collect_errors is always on, the answer's head leaves with the
  // first bytes there are for the client, and an answer that is there in one piece gets a length.
  std::shared_ptr<Translator> translator;
  bool collect_errors = false;  // see RelayEnd::UpstreamError
  // An error's body that has not come by then is taken for what came of it.
  std::chrono::milliseconds error_within{3000};
  // The client asks for another protocol on this connection, see wants_upgrade(): that is passed
  // on, and behind a 101 of the upstream each side's bytes go to the other as they come, until one
  // of them closes (Complete), breaks or abort_relay() cuts both. Any other answer is relayed as
  // usual. Not together with a translator or start_stream().
  bool upgrade = false;
  std::vector<Header> response_headers;  // added to the upstream's (x-request-id, x-holdfast-*)
  StreamErrorText stream_error;
  std::function<void()> on_first_byte;  // first body byte passed to the client's socket
  // The reader took nothing although bytes wait for it: called when that starts (after a grace of 1
  // s), and again with false when it takes some. Used for the stalled-reader rule.
  std::function<void(bool stalled)> on_stall;
  std::function<void(const RelayResult&)> on_done;  // exactly once, the last call of the relay
};

// The head of an answer that begins before its content is there.
struct StreamHead {
  std::string content_type;
  std::vector<Header> headers;
};

class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual const RequestHead& head() const = 0;
  // The whole body, already de-chunked, at most the limit. Stays valid as long as the Exchange.
  // At least 64 readable bytes lie behind its end (simdjson's padding).
  virtual std::string_view body() const = 0;

  // Answers. Exactly one reply() ends the exchange; calling it after on_disconnect fired is allowed
  // and does nothing.
  virtual void reply(Reply reply) = 0;

  // Sends the request (same method, target, body; hop-by-hop headers, Authorization, x-api-key,
  // Cookie, Host and Expect removed) to the upstream and streams its answer as it comes. At most
  // one at a time. After UpstreamRefused (or Aborted before the start) another relay() or reply()
  // must follow.
  virtual void relay(RelayPlan plan) = 0;

  // Begins a 200 answer whose content is not there yet, so that a client that waits hears from us:
  // chunked, for HTTP/1.0 until the connection closes. A later relay() continues in the same
  // answer: the upstream's head is dropped (if its media type is another one than the stream's and
  // there is no translator, the answer counts as broken), and plan.response_headers are not sent
  // any more. reply() is not allowed after it, end_stream() and break_stream() take its place.
  // While relays are tried and refused the answer stays open; whoever began it ends it. Also
  // allowed while a relay waits for its answer; ignored once that has begun, when the exchange has
  // ended, and for HEAD.
  virtual void start_stream(StreamHead head) = 0;
  [[nodiscard]] virtual bool stream_started() const = 0;
  // A piece of that answer, from start_stream() until the upstream's first body byte, also while a
  // relay waits for it; later ones are ignored, and after the end of the exchange too. Dropped when
  // the one before has not left yet, so that a client that reads nothing piles up nothing. Whole
  // events or lines only: an error event may follow at once.
  virtual void write(std::string piece) = 0;
  // Ends it without a relay as a finished answer, with this piece: a whole line or event.
  virtual void end_stream(std::string last_piece) = 0;
  // Ends it without a relay: these words (an error event), then a broken transfer, so that it never
  // looks like a finished answer.
  virtual void break_stream(std::string last_words) = 0;

  // Ends a running relay from our side (request limit, stalled reader, force). No-op when none
  // runs. Call it too when the child of a running relay has exited: an answer without a length
  // (HTTP/1.0 style) cannot be told from a cut one, so its end is held back for 100 ms to let that
  // news arrive. Stock llama-server always sends a length or chunks, whose cuts are seen without
  // help.
  virtual void abort_relay() = 0;

  // Dropping the last reference without an answer is a bug of the service and answered with 500 for
  // it. An Exchange may not outlive the io_context.

  // Called at most once if the client goes away while the exchange waits for its answer (before a
  // reply, and not during a relay, whose on_done says it).
  virtual void on_disconnect(std::function<void()> callback) = 0;
};

// Why the session itself must refuse.
enum class Unfit {
  NotHttp,             // nothing that we accept as HTTP
  BodyStalled,         // no byte of the body came for the deadline
  NoMemory,            // for the body
  TooManyBodies,       // it would be more than bodies_limit()
  TooManyConnections,  // nothing was read
};

// What api implements.
class Service {
 public:
  virtual ~Service() = default;

  // Asked after the header block and before any body byte is read. A Reply refuses the request
  // (404, 405, 401, 403, …) without reading its body. The size limit is the session's own matter:
  // it asks too_large() for the text.
  virtual std::optional<Reply> check_head(const RequestHead& head) = 0;
  // Largest body for this request, bytes.
  virtual std::uint64_t body_limit(const RequestHead& head) const = 0;
  // What all bodies may hold together, bytes, those below 64 KiB aside. A request whose body does
  // not fit in is refused; it holds what it took until its Exchange goes.
  virtual std::uint64_t bodies_limit() const = 0;
  // Replies for what the session itself must refuse, in the dialect of the API called.
  virtual Reply too_large(const RequestHead& head, std::uint64_t limit) = 0;
  // `head`: null if none was read. `why`: a detail of NotHttp, else empty.
  virtual Reply unfit(Unfit reason, const RequestHead* head, std::string_view why) = 0;

  virtual void handle(std::shared_ptr<Exchange> exchange) = 0;
};

bool header_equals(std::string_view a, std::string_view b);  // ASCII case-insensitive

// A GET without a body that asks for WebSocket or another protocol on its connection. Not for
// HTTP/2 (h2c), which some clients offer with each request and do well without. Such a connection
// serves no further request, whatever the answer.
bool wants_upgrade(const RequestHead& head);

}  // namespace hf::net
