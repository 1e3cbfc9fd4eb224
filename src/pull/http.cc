#include "pull/http.h"

#include <curl/curl.h>

#include <array>
#include <charconv>

#include "base/lower.h"
#include "pull/url.h"

namespace hf::pull {
namespace {

constexpr int kRedirectsMax = 10;
constexpr long kConnectSeconds = 20;
// A line that gives less than this for so long is given up and tried again: a connection whose
// other end is gone says nothing.
constexpr long kSlowBytesPerSecond = 512;
constexpr long kSlowSeconds = 30;
// Larger pieces than the library's 16 KiB: fewer writes and calls of the hash.
constexpr long kPieceBytes = 256 * 1024;

// The library's global state; made once, on the first use.
bool start_library() {
  static const bool started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return started;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) {
    return std::nullopt;
  }
  return value;
}

void take_header(HttpHead& head, std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return;
  }
  const std::string name = lower(trimmed(line.substr(0, colon)));
  const std::string value(trimmed(line.substr(colon + 1)));
  if (name == "etag") {
    head.etag = value;
  } else if (name == "content-type") {
    head.content_type = lower(value);
  } else if (name == "content-range") {
    head.content_range = value;
  } else if (name == "link") {
    head.link += (head.link.empty() ? "" : ", ") + value;
  } else if (name == "x-error-code") {
    head.error_code = value;
  } else if (name == "content-length") {
    const auto bytes = number(value);
    head.content_length = bytes ? std::optional(Bytes(*bytes)) : std::nullopt;
  } else if (name == "retry-after") {
    const auto seconds = number(value);
    head.retry_after = seconds ? std::optional(std::chrono::seconds(*seconds)) : std::nullopt;
  }
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Of which a further attempt may go better.
bool is_transfer_error(CURLcode code) {
  switch (static_cast<int>(code)) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return true;
    default:
      return false;
  }
}

// `place`: the server's name alone.
Error error_of(CURLcode code, const char* detail, const std::string& place) {
  const std::string said = detail[0] != '\0' ? detail : curl_easy_strerror(code);
  switch (static_cast<int>(code)) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {Errc::Unavailable, place + ": its address cannot be found"};
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {Errc::Unavailable, "the proxy's address cannot be found"};
    case CURLE_COULDNT_CONNECT:
      return {Errc::Unavailable, place + ": no connection can be made"};
    case CURLE_OPERATION_TIMEDOUT:
      return {Errc::Timeout, place + ": nothing comes any more"};
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return {Errc::Io, place + ": the connection broke"};
    case CURLE_PEER_FAILED_VERIFICATION:
      return {Errc::PermissionDenied, place + ": its certificate is not trusted (" + said + ")"};
    default:
      return {Errc::Io, place + ": " + said};
  }
}

}  // namespace

class Http::Impl {
 public:
  Impl(Key key, std::string ca_file, std::function<bool()> stopped)
      : key_(std::move(key)), ca_file_(std::move(ca_file)), stopped_(std::move(stopped)) {
    if (start_library()) {
      curl_ = curl_easy_init();
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { curl_easy_cleanup(curl_); }

  tl::expected<HttpHead, HttpFailure> run(const HttpRequest& request, const HttpSink& sink);
  [[nodiscard]] bool has_reached_somebody() const { return reached_; }

 private:
  struct List {
    curl_slist* first = nullptr;
    List() = default;
    List(const List&) = delete;
    List& operator=(const List&) = delete;
    ~List() { curl_slist_free_all(first); }
    void add(const std::string& line) { first = curl_slist_append(first, line.c_str()); }
  };

  tl::expected<HttpHead, HttpFailure> hop(const HttpRequest& request, const Url& url,
                                          const HttpSink& sink, std::string& next);
  void prepare(const HttpRequest& request, curl_slist* headers);
  tl::expected<HttpHead, HttpFailure> failure(CURLcode code, const Url& url);

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
  bool head_ended();

  Key key_;
  std::string ca_file_;
  std::function<bool()> stopped_;
  CURL* curl_ = nullptr;
  bool reached_ = false;

  // Of the hop that runs.
  const HttpSink* sink_ = nullptr;
  HttpHead head_;
  std::optional<Error> sink_error_;
  std::array<char, CURL_ERROR_SIZE> detail_{};
};

// The library calls it line by line; a new status line begins the head of another answer (100,
// 200).
std::size_t Http::Impl::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& impl = *static_cast<Impl*>(self);
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) {
    impl.head_ = HttpHead{};
    const std::size_t blank = line.find(' ');
    const auto status = number(blank == std::string_view::npos ? "" : line.substr(blank + 1, 3));
    impl.head_.status = static_cast<int>(status.value_or(0));
  } else if (trimmed(line).empty()) {
    impl.reached_ = true;
    return impl.head_ended() ? line.size() : 0;
  } else {
    take_header(impl.head_, line);
  }
  return line.size();
}

bool Http::Impl::head_ended() {
  if (head_.status < 200 || is_redirect(head_.status) || !sink_->on_head) {
    return true;
  }
  if (Status good = sink_->on_head(head_); !good) {
    sink_error_ = std::move(good.error());
    return false;
  }
  return true;
}

std::size_t Http::Impl::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& impl = *static_cast<Impl*>(self);
  const std::string_view bytes(data, size * count);
  if (is_redirect(impl.head_.status) || !impl.sink_->on_body) {
    return bytes.size();
  }
  if (Status good = impl.sink_->on_body(bytes); !good) {
    impl.sink_error_ = std::move(good.error());
    return 0;
  }
  return bytes.size();
}

int Http::Impl::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& impl = *static_cast<Impl*>(self);
  if (impl.sink_->on_tick) {
    impl.sink_->on_tick();
  }
  return impl.stopped_() ? 1 : 0;
}

void Http::Impl::prepare(const HttpRequest& request, curl_slist* headers) {
  curl_easy_reset(curl_);  // keeps connections
  detail_.fill('\0');
  curl_easy_setopt(curl_, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl_, CURLOPT_NOBODY, request.only_head ? 1L : 0L);
  curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl_, CURLOPT_USERAGENT, "holdfast");
  curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl_, CURLOPT_SUPPRESS_CONNECT_HEADERS,
                   1L);  // a proxy's head is not the answer
  curl_easy_setopt(curl_, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  if (!ca_file_.empty()) {
    curl_easy_setopt(curl_, CURLOPT_CAINFO, ca_file_.c_str());
  }
  curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_LIMIT, kSlowBytesPerSecond);
  curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_TIME, kSlowSeconds);
  curl_easy_setopt(curl_, CURLOPT_BUFFERSIZE, kPieceBytes);
  curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, detail_.data());
  curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, &Impl::on_header);
  curl_easy_setopt(curl_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, &Impl::on_body);
  curl_easy_setopt(curl_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(curl_, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl_, CURLOPT_XFERINFOFUNCTION, &Impl::on_progress);
  curl_easy_setopt(curl_, CURLOPT_XFERINFODATA, this);
}

tl::expected<HttpHead, HttpFailure> Http::Impl::failure(CURLcode code, const Url& url) {
  if (sink_error_) {
    return tl::unexpected(HttpFailure{std::move(*sink_error_), false});
  }
  if (code == CURLE_ABORTED_BY_CALLBACK) {
    return tl::unexpected(HttpFailure{Error(Errc::Unavailable, "stopped"), false});
  }
  return tl::unexpected(
      HttpFailure{error_of(code, detail_.data(), url.host), is_transfer_error(code)});
}

tl::expected<HttpHead, HttpFailure> Http::Impl::hop(const HttpRequest& request, const Url& url,
                                                    const HttpSink& sink, std::string& next) {
  List headers;
  for (const std::string& line : request.headers) {
    headers.add(line);
  }
  const bool with_key = !key_.token.empty() && url.origin() == key_.origin;
  if (with_key) {
    headers.add("Authorization: Bearer " + key_.token);
  }
  prepare(request, headers.first);
  if (with_key && url.scheme == "http") {
    curl_easy_setopt(curl_, CURLOPT_NOPROXY, "*");  // it could read the key
  }
  sink_ = &sink;
  head_ = HttpHead{};
  sink_error_.reset();
  const CURLcode code = curl_easy_perform(curl_);
  if (code != CURLE_OK) {
    return failure(code, url);
  }
  if (is_redirect(head_.status)) {
    char* address = nullptr;
    curl_easy_getinfo(curl_, CURLINFO_REDIRECT_URL, &address);
    next = address == nullptr ? "" : address;
  }
  head_.url = request.url;
  return std::move(head_);
}

tl::expected<HttpHead, HttpFailure> Http::Impl::run(const HttpRequest& request,
                                                    const HttpSink& sink) {
  const auto refuse = [](Errc code, std::string text) {
    return tl::unexpected(HttpFailure{Error(code, std::move(text)), false});
  };
  if (curl_ == nullptr) {
    return refuse(Errc::Internal, "libcurl cannot be started");
  }
  HttpRequest now = request;
  bool encrypted = false;
  for (int hops = 0; hops <= kRedirectsMax; ++hops) {
    const auto url = parse_url(now.url);
    if (!url) {
      return refuse(url.error().code, url.error().message);
    }
    if (encrypted && url->scheme != "https") {
      return refuse(Errc::InvalidArgument,
                    url->host + ": a redirect from https:// to http:// is not followed");
    }
    encrypted = url->scheme == "https";
    std::string next;
    auto head = hop(now, *url, sink, next);
    if (!head || !is_redirect(head->status)) {
      return head;
    }
    if (next.empty()) {
      return refuse(Errc::InvalidArgument, url->host + ": a redirect leads nowhere");
    }
    now.url = std::move(next);
  }
  return refuse(Errc::InvalidArgument,
                "more than " + std::to_string(kRedirectsMax) + " redirects, one after the other");
}

Http::Http(Key key, std::string ca_file, std::function<bool()> stopped)
    : impl_(std::make_unique<Impl>(std::move(key), std::move(ca_file), std::move(stopped))) {}

Http::~Http() = default;

tl::expected<HttpHead, HttpFailure> Http::run(const HttpRequest& request, const HttpSink& sink) {
  return impl_->run(request, sink);
}

bool Http::has_reached_somebody() const {
  return impl_->has_reached_somebody();
}

}  // namespace hf::pull
