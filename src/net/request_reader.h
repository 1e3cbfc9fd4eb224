#pragma once
// Reads one request from a connection: first the header block, then, once the session wants it, the
// body. Stops at the first byte that is not HTTP as we accept it, or beyond the limit. Loop thread.

#include <cstdint>
#include <memory>
#include <string>

#include "net/body_buffer.h"
#include "net/client_connection.h"
#include "net/request_head.h"
#include "net/server.h"

namespace hf::net {

enum class ReadEnd {
  Complete,
  Closed,     // the client left, or was too slow with its header: nothing to answer
  Malformed,  // see why()
  TooLarge,   // the body passed the limit
  Stalled,    // no byte of the body came for the deadline
  OutOfMemory,
  NoRoom,  // the bodies of all requests together are too large
};

class RequestReader {
 public:
  // Borrows the first two for its life.
  RequestReader(ClientConnection& client, const ServerOptions& options,
                std::shared_ptr<BodyBudget> budget);

  Task<ReadEnd> read_head();
  // Requires read_head() to have been Complete.
  Task<ReadEnd> read_body(std::uint64_t limit);

  [[nodiscard]] const std::string& why() const { return why_; }
  [[nodiscard]] RequestHead& head() { return decoded_.head; }
  [[nodiscard]] const Framing& framing() const { return decoded_.framing; }
  [[nodiscard]] BodyBuffer& body() { return body_; }

 private:
  ReadEnd malformed(std::string_view why);
  ReadEnd parse_head(std::string_view block);
  // Moves what has arrived through the parser; need_more when it wants more, no error when done.
  error_code parse_body(std::uint64_t limit);

  ClientConnection& client_;
  const ServerOptions& options_;
  http::request_parser<http::buffer_body> parser_;
  DecodedHead decoded_;
  BodyBuffer body_;
  std::string why_;
};

}  // namespace hf::net
