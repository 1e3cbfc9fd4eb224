#include "pull/fetch.h"

#include <algorithm>
#include <thread>

#include "base/units.h"
#include "gguf/header.h"

namespace hf::pull {
namespace {

constexpr int kFailuresMax = 6;  // one after the other without a byte in between
constexpr Duration kFirstPause = std::chrono::milliseconds(500);
constexpr Duration kLongestPause = std::chrono::seconds(30);
// A server that asks for more is not waited for: people should know, and decide.
constexpr std::chrono::seconds kRetryAfterMost{120};
constexpr std::chrono::milliseconds kLook{50};
constexpr std::string_view kMagic = "GGUF";

bool is_passing(int status) {
  return status == 408 || status == 425 || status == 429 || (status >= 500 && status != 501);
}

// What it is that came in place of a model, as far as its beginning tells.
std::string what_came(std::string_view begin, const std::string& content_type) {
  const std::size_t first = begin.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (content_type.starts_with("text/html") ||
      (first != std::string_view::npos && begin[first] == '<')) {
    return "the server sent a web page and no GGUF file: is the address that of a page about it?";
  }
  if (begin.starts_with("vers")) {  // "version https://git-lfs…"
    return "the server sent a Git LFS pointer and not the file itself";
  }
  return "the server sent something else than a GGUF file";
}

class Download {
 public:
  Download(Http& http, PartFile& part, const Item& item, const Watcher& watcher,
           const RefusalWords& refused)
      : http_(http), part_(part), item_(item), watcher_(watcher), refused_(refused) {
    total_ = item.size;
  }

  Result<Fetched> run();

 private:
  // nullopt: it is whole; else what to wait before the next attempt.
  using Pause = std::optional<Duration>;

  Status take_up();
  Status begin_anew();
  Result<Pause> attempt();
  Result<Pause> after_failure(HttpFailure failure);
  Result<Pause> after_answer(const HttpHead& head);
  Result<Pause> retry(Error error, std::optional<std::chrono::seconds> wished = {});
  Status on_head(const HttpHead& head);
  [[nodiscard]] Status check_room(Bytes missing) const;
  Status on_body(std::string_view bytes);
  Status wait(Duration pause);
  Status fill();
  Result<Fetched> checked(std::string found);
  Error wrong_sum(const std::string& found);
  void tell(Stage stage, Bytes done);
  [[nodiscard]] bool is_whole() const { return total_ && part_.size() == *total_; }

  Http& http_;
  PartFile& part_;
  const Item& item_;
  const Watcher& watcher_;
  const RefusalWords& refused_;

  Digest digest_;
  Rate rate_;
  std::optional<Bytes> total_;
  std::string if_range_;
  std::string begin_;  // the first bytes, until there are enough to judge
  std::string content_type_;
  Use use_ = Use::Refused;  // of the answer that comes
  Bytes downloaded_;
  Bytes furthest_;  // of all attempts: who gets no further has made no progress
  int failures_ = 0;
  bool continued_ = false;  // bytes of an earlier run are in it
};

void Download::tell(Stage stage, Bytes done) {
  rate_.add(watcher_.now(), done);
  Progress progress;
  progress.file = item_.file.generic_string();
  progress.number = item_.number;
  progress.count = item_.count;
  progress.stage = stage;
  progress.done = done;
  progress.total = stage == Stage::Checking ? std::optional(part_.size()) : total_;
  progress.bytes_per_second = rate_.per_second();
  watcher_.progress(progress);
}

Status Download::begin_anew() {
  digest_.reset();
  rate_.restart();
  begin_.clear();
  if_range_.clear();
  continued_ = false;
  return part_.empty();
}

// What an earlier run left, if it can be gone on with.
Status Download::take_up() {
  const Start start =
      where_to_start(part_.state(), part_.size(), Expected{item_.source, item_.sha256, item_.size});
  if (!start.why_anew.empty()) {
    watcher_.note(item_.file.generic_string() + ": " + start.why_anew + ", so it begins anew");
  }
  if (start.from == Bytes(0)) {
    return begin_anew();
  }
  continued_ = true;
  if_range_ = start.if_range;
  if (!total_) {
    total_ = start.total;
  }
  watcher_.note(item_.file.generic_string() + ": going on at " + format_bytes(part_.size()));
  const Status read = part_.read_into(digest_, [this](Bytes done) {
    tell(Stage::Checking, done);
    return !watcher_.stopped();
  });
  rate_.restart();
  return read;
}

Status Download::on_head(const HttpHead& head) {
  const Judgement judged =
      judge(Offer{head.status, head.etag, head.content_range, head.content_length},
            Asked{part_.size(), if_range_, !item_.sha256.empty(), total_});
  use_ = judged.use;
  content_type_ = head.content_type;
  if (use_ == Use::Restart) {
    return fail(Errc::Io, "of no use");  // gigabytes may follow; see after_failure()
  }
  if (use_ != Use::Continue && use_ != Use::Anew) {
    return {};
  }
  if (item_.size && judged.total && *judged.total != *item_.size) {
    return fail(Errc::Corrupt, "the server sends " + format_bytes(*judged.total) + " where " +
                                   format_bytes(*item_.size) + " were announced");
  }
  if (judged.total || use_ == Use::Anew) {
    total_ = judged.total ? judged.total : item_.size;
  }
  if (!item_.size && total_) {
    if (Status fits = check_room(use_ == Use::Anew ? *total_ : *total_ - part_.size()); !fits) {
      return fits;
    }
  }
  if (use_ == Use::Anew) {
    if (part_.size() > Bytes(0)) {
      watcher_.note(item_.file.generic_string() +
                    ": the server cannot go on there, or its file has changed; it begins anew");
    }
    if (Status emptied = begin_anew(); !emptied) {
      return emptied;
    }
  }
  if_range_ = strong_etag(head.etag);
  return part_.remember(PartState{item_.source, if_range_, item_.sha256, total_, ""});
}

// Of a file whose length nobody knew before.
Status Download::check_room(Bytes missing) const {
  const auto room = room_for_downloads(item_.target.parent_path());
  // What is there is overwritten when it begins anew.
  if (!room || missing <= *room + part_.size()) {
    return {};
  }
  return fail(Errc::ResourceExhausted, "not enough room on the disk: " + format_bytes(missing) +
                                           " to fetch, " + format_bytes(*room) +
                                           " free (a reserve stays)");
}

Status Download::on_body(std::string_view bytes) {
  if (use_ != Use::Continue && use_ != Use::Anew) {
    return {};  // the page of a refusal
  }
  if (part_.size() < Bytes(static_cast<std::int64_t>(kMagic.size()))) {
    // Judged before anything is written: nothing but models is ever in a part.
    begin_ += bytes;
    if (begin_.size() < kMagic.size()) {
      return {};
    }
    if (!begin_.starts_with(kMagic)) {
      return fail(Errc::Corrupt, what_came(begin_, content_type_));
    }
    bytes = begin_;
  }
  if (Status written = part_.append(bytes); !written) {
    return written;
  }
  digest_.add(bytes);
  downloaded_ += Bytes(static_cast<std::int64_t>(bytes.size()));
  if (total_ && part_.size() > *total_) {
    return fail(Errc::Corrupt, "the server sends more than it announced");
  }
  tell(Stage::Fetching, part_.size());
  return {};
}

Result<Download::Pause> Download::retry(Error error, std::optional<std::chrono::seconds> wished) {
  if (part_.size() > furthest_) {
    failures_ = 0;
    furthest_ = part_.size();
  }
  ++failures_;
  if (failures_ >= kFailuresMax || (wished && *wished > kRetryAfterMost)) {
    return fail(std::move(error));
  }
  Duration pause = std::min(kFirstPause * (1 << (failures_ - 1)), kLongestPause);
  if (wished) {
    pause = std::max(pause, Duration(*wished));
  }
  watcher_.note(error.message + "; trying again in " + format_duration(pause));
  return pause;
}

Result<Download::Pause> Download::after_failure(HttpFailure failure) {
  if (use_ == Use::Restart) {
    if (Status emptied = begin_anew(); !emptied) {
      return fail(std::move(emptied.error()));
    }
    return retry(Error(Errc::Io, item_.file.generic_string() +
                                     ": the server cannot go on there, or its file has changed; "
                                     "it begins anew"));
  }
  // Somebody who cannot be reached at all is told at once.
  if (!failure.transfer || !http_.has_reached_somebody()) {
    return fail(std::move(failure.error));
  }
  return retry(std::move(failure.error));
}

Result<Download::Pause> Download::after_answer(const HttpHead& head) {
  switch (use_) {
    case Use::Continue:
    case Use::Anew:
      if (!total_) {
        total_ = part_.size();  // it ended cleanly, and nobody said how long it is
      }
      if (part_.size() == Bytes(0) && !begin_.empty()) {
        return fail(Errc::Corrupt, what_came(begin_, content_type_));
      }
      return is_whole() ? Result<Pause>(std::nullopt)
                        : retry(Error(Errc::Io, "the transfer ended too early"));
    case Use::Complete:
      total_ = part_.size();
      return Pause();
    case Use::Restart:  // ended at its head
    case Use::Refused:
      break;
  }
  if (is_passing(head.status)) {
    return retry(refused_(head), head.retry_after);
  }
  return fail(refused_(head));
}

Result<Download::Pause> Download::attempt() {
  HttpRequest request;
  request.url = item_.url;
  request.headers.emplace_back("Accept-Encoding: identity");
  if (part_.size() > Bytes(0) && if_range_.empty() && item_.sha256.empty()) {
    watcher_.note(
        item_.file.generic_string() +
        ": the server does not say whether the file has changed since, so it begins anew");
    if (Status emptied = begin_anew(); !emptied) {
      return fail(std::move(emptied.error()));
    }
  }
  if (part_.size() > Bytes(0)) {
    request.headers.push_back("Range: bytes=" + std::to_string(part_.size().count) + "-");
    if (!if_range_.empty()) {
      request.headers.push_back("If-Range: " + if_range_);
    }
  }
  use_ = Use::Refused;
  HttpSink sink;
  sink.on_head = [this](const HttpHead& head) { return on_head(head); };
  sink.on_body = [this](std::string_view bytes) { return on_body(bytes); };
  sink.on_tick = [this] {
    if (part_.size() > Bytes(0)) {
      tell(Stage::Fetching, part_.size());
    }
  };
  auto head = http_.run(request, sink);
  if (watcher_.stopped()) {
    return fail(Errc::Unavailable, "stopped");
  }
  return head ? after_answer(*head) : after_failure(std::move(head.error()));
}

Status Download::wait(Duration pause) {
  const TimePoint until = watcher_.now() + pause;
  while (watcher_.now() < until) {
    if (watcher_.stopped()) {
      return fail(Errc::Unavailable, "stopped");
    }
    std::this_thread::sleep_for(kLook);
  }
  rate_.restart();
  return {};
}

// A sum that a person typed may be wrong itself: gigabytes are not thrown away for it, but they do
// not become a model either. Otherwise the bytes are known to be bad.
Error Download::wrong_sum(const std::string& found) {
  std::string text = "the file's SHA-256 is " + found + ", expected " + item_.sha256;
  if (item_.sum_was_typed) {
    PartState state = part_.state().value_or(PartState{});
    state.found_sha256 = found;
    if (part_.remember(state)) {
      return {Errc::Corrupt, text + "; it stays as " + part_.path().filename().string() +
                                 " and counts once the right checksum is given"};
    }
  }
  part_.remove();
  return {Errc::Corrupt, text + "; what was fetched has been removed"};
}

Result<Fetched> Download::checked(std::string found) {
  const auto header = gguf::read_header(part_.path());
  if (!header) {
    part_.remove();
    return fail(Errc::Corrupt, "it is no good GGUF file (" + header.error().message +
                                   "); what was fetched has been removed");
  }
  return Fetched{std::move(found), downloaded_};
}

Status Download::fill() {
  while (!is_whole()) {
    Result<Pause> pause = attempt();
    if (!pause) {
      return fail(std::move(pause.error()));
    }
    if (!*pause) {
      break;
    }
    if (Status waited = wait(**pause); !waited) {
      return waited;
    }
  }
  tell(Stage::Fetching, part_.size());
  return {};
}

Result<Fetched> Download::run() {
  for (Status ready = take_up();; ready = begin_anew()) {
    const Status filled = ready ? fill() : ready;
    if (!filled) {
      return fail(filled.error());
    }
    std::string found = digest_.finish();
    if (item_.sha256.empty() || found == item_.sha256) {
      return checked(std::move(found));
    }
    if (!continued_ || item_.sum_was_typed) {
      return fail(wrong_sum(found));
    }
    // What an earlier run left may have been damaged; bytes of this run alone decide.
    watcher_.note(item_.file.generic_string() +
                  ": it is not the expected file with what was there, so it begins anew");
  }
}

}  // namespace

Result<Fetched> fetch(Http& http, PartFile& part, const Item& item, const Watcher& watcher,
                      const RefusalWords& refused) {
  return Download(http, part, item, watcher, refused).run();
}

}  // namespace hf::pull
