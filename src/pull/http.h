#pragma once
// One question to a web server, by libcurl: redirects are followed here and not by the library,
// because a key may go to the hub itself and to nobody else, and because an encrypted address must
// not lead to an open one. Blocking; one thread.

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace hf::pull {

struct HttpRequest {
  std::string url;
  bool only_head = false;            // HEAD
  std::vector<std::string> headers;  // "Range: bytes=5-"
};

// A key and the only server that gets it.
struct Key {
  std::string token;   // "": none
  std::string origin;  // Url::origin()
};

struct HttpHead {
  int status = 0;
  std::string url;  // of the last redirect
  std::string etag;
  std::string content_type;
  std::string content_range;
  std::string link;
  std::string error_code;  // X-Error-Code: the hub's own word for what is wrong
  std::optional<Bytes> content_length;
  std::optional<std::chrono::seconds> retry_after;
};

// What is called while an answer comes. An error ends it and is what run() returns.
struct HttpSink {
  std::function<Status(const HttpHead&)> on_head;  // once, not for redirects
  std::function<Status(std::string_view)> on_body;
  std::function<void()> on_tick;  // about once a second, whatever comes
};

struct HttpFailure {
  Error error;
  bool transfer = false;  // the line or the server broke: a further attempt may go better
};

class Http {
 public:
  // `ca_file`: who is trusted, in place of the system's own list; "": that one. `stopped` is asked
  // all the time; once true, run() ends with Unavailable.
  Http(Key key, std::string ca_file, std::function<bool()> stopped);
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;
  ~Http();

  // Any status is a result. Errors: those of the sink; InvalidArgument (a bad address or redirect),
  // Timeout, Unavailable, Io. They name the server, never an address's query or a key.
  tl::expected<HttpHead, HttpFailure> run(const HttpRequest& request, const HttpSink& sink);

  // True once any server answered in this run.
  [[nodiscard]] bool has_reached_somebody() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hf::pull
